"""Triggers: told from integrations, and the product page's form of them."""

from __future__ import annotations

from dataclasses import replace

from astrio.flows.reading.node import Entry, Node


def is_trigger(root: Node) -> bool:
    """Whether a file holds a trigger: it names events, and has no source."""
    keys = root.entries or {}
    return "source" not in keys and ("on" in keys or {"event", "webhook"} <= set(keys))


def canonical_trigger(root: Node, name: str) -> Node:
    """Return `{event, webhook, payload}` as `{name, on, push, payload}`.

    Args:
        root: the file.
        name: of the trigger, if the file gives it none.
    """
    entries = dict(root.entries or {})
    if "event" in entries and "on" not in entries:
        entries["on"] = entries.pop("event")
    if "webhook" in entries and "push" not in entries:
        webhook = entries.pop("webhook")
        to = Node(webhook.place, entries={"webhook": webhook})
        pushed = Node(webhook.place, entries={"to": Entry(webhook.place, to)})
        entries["push"] = Entry(webhook.place, pushed)
    on = entries.get("on")
    if on and on.node.items is None:
        entries["on"] = replace(on, node=Node(on.node.place, items=(on.node,)))
    if push := entries.get("push"):
        entries["push"] = replace(push, node=_pushing(push.node))
    entries.setdefault("name", Entry(root.place, Node(root.place, name)))
    return replace(root, entries=entries)


def _pushing(push: Node) -> Node:
    """Return `push` with a list in `to`, of `{webhook: {url: URL, secret: …}}` each."""
    to = push.entry("to")
    if to is None or push.entries is None:
        return push
    items = to.node.items if to.node.items is not None else (to.node,)
    node = Node(to.node.place, items=tuple(map(_destination, items)))
    return replace(push, entries={**push.entries, "to": replace(to, node=node)})


def _destination(to: Node) -> Node:
    webhook = to.entry("webhook")
    if webhook is None or not isinstance(webhook.node.value, str) or len(to.entries or {}) == 1:
        return to
    more = {key: each for key, each in (to.entries or {}).items() if each is not webhook}
    settings = Node(webhook.node.place, entries={"url": webhook, **more})
    return replace(to, entries={"webhook": replace(webhook, node=settings)})
