"""`source.webhook`: what goes with events, and what is only for APIs that are asked."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from astrio.blocks.webhooks.own_paths import OWN
from astrio.blocks.webhooks.source import WebhookSource
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node

_ASKED = ("paginate", "incremental", "parent", "export")


def check(root: Node) -> Iterator[Mistake]:
    """Yield settings that mean nothing to events, or would lose them."""
    source = root.at("source")
    webhook = source.entry("webhook") if source else None
    if source is None or webhook is None or webhook.node.plain() is None:
        if entry := source.entry("event_as") if source else None:
            words = "`event_as` is for records of a webhook: give `source.webhook`"
            yield Mistake.at(entry.place, "source.event_as", words)
        return
    yield from _taken(webhook.node)
    for key in _ASKED:
        if entry := source.entry(key):
            words = f"events arrive by themselves: `{key}` is for an API that is asked"
            yield Mistake.at(entry.place, f"source.{key}", words)
    if (entry := source.entry("request")) and not source.entry("api"):
        words = "`request` fetches what an event names: give `source.api` too"
        yield Mistake.at(entry.place, "source.request", words)
    if entry := root.entry("schedule"):
        words = "events run the integration when they arrive: it takes no `schedule`"
        yield Mistake.at(entry.place, "schedule", words)
    if root.text("push", "mode") == "replace":
        words = "`mode: replace` would leave only the latest events in the table: use upsert"
        mode = root.at("push", "mode")
        assert mode is not None  # it has a text
        yield Mistake.at(mode.place, "push.mode", words)
    yield from _unwise(webhook.node)


def _taken(node: Node) -> Iterator[Mistake]:
    """Yield a path that is the gateway's."""
    for key in ("path", "endpoint"):
        if (path := node.at(key)) and path.value in OWN:
            words = f"{path.value} is the gateway's own path: give another one, /webhooks/shop"
            yield Mistake.at(path.place, f"source.webhook.{key}", words)


def _unwise(node: Node) -> Iterator[Mistake]:
    """Yield what the source itself warns of."""
    if node.entries is None:
        return
    try:
        source = WebhookSource.model_validate(node.plain())
    except ValidationError:
        return  # told elsewhere
    for words in source.warnings():
        yield Mistake.at(node.place, "source.webhook", words, warning=True)
