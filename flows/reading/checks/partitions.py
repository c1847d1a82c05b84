"""`partitions`: what they need of the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node


def check(root: Node) -> Iterator[Mistake]:
    """Yield what would let partitions harm one another, and values that nothing asks for."""
    entry, over = root.entry("partitions"), root.at("partitions", "over")
    if entry is None or over is None or not over.entries:
        return
    mode = root.text("push", "mode") or "append"
    if mode == "replace":
        words = "with `mode: replace`, each partition would put its rows in the place of all others"
        yield Mistake.at(entry.place, "partitions", words)
    if root.at("source", "webhook"):
        words = "events come by themselves: there is nothing to read for a partition"
        yield Mistake.at(entry.place, "partitions", words)
    vanished = root.at("push", "vanished")
    if vanished and vanished.plain() not in (None, "keep"):
        words = "each partition would take the rows of the others for vanished: leave out"
        yield Mistake.at(entry.place, "partitions", f"{words} `push.vanished`")
    yield from _names(root, over)


def _names(root: Node, over: Node) -> Iterator[Mistake]:
    variables = root.at("vars")
    known = (variables.entries if variables else None) or {}
    source = root.at("source")
    texts = [] if source is None else [str(node.value) for _, node in source.scalars("source")]
    asked = "".join(text for text in texts if "{{" in text)
    python = root.at("source", "python")
    for name, entry in (over.entries or {}).items():
        if name in known:
            words = f"`{name}` stands in `vars`, too: choose another name"
            yield Mistake.at(entry.place, f"partitions.over.{name}", words)
        elif name not in asked and python is None:
            words = f"nothing in `source` asks for {{{{{name}}}}}, so each partition reads the same"
            yield Mistake.at(entry.place, f"partitions.over.{name}", words)
