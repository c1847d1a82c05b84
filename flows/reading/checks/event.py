"""`source.event`: what goes with records that other integrations hand over."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node

_OTHERS = ("api", "python", "webhook")
_ASKED = (
    "request", "response", "records", "allow_missing", "paginate", "incremental", "parent",
    "export",
)  # fmt: skip


def check(root: Node) -> Iterator[Mistake]:
    """Yield settings that mean nothing to records that are handed over, or would lose them."""
    source = root.at("source")
    event = source.entry("event") if source else None
    if source is None or event is None or event.node.plain() is None:
        return
    for key in _OTHERS:
        if entry := source.entry(key):
            words = f"`event` takes the place of `{key}`: keep one of the two"
            yield Mistake.at(entry.place, f"source.{key}", words)
    for key in _ASKED:
        if entry := source.entry(key):
            words = f"records that are handed over come by themselves: `{key}` is for an API"
            yield Mistake.at(entry.place, f"source.{key}", words)
    if root.text("push", "mode") == "replace" and (mode := root.at("push", "mode")):
        words = "`mode: replace` would leave only what was handed over last: use upsert"
        yield Mistake.at(mode.place, "push.mode", words)
