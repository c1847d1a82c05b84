"""Files that hold an action: told from integrations, and the action alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic.alias_generators import to_snake

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Entry, Node
from astrio.tasks.actions.settings import FILE_KEYS, Action
from astrio.tasks.destinations.targets.action import ActionTarget

_OF_TABLES = ("table", "mode", "key")
_OF_ACTIONS = frozenset(Action.model_fields) - {"url"} | {"content", "embeds"}


def is_action(root: Node) -> bool:
    """Whether a file holds an action: a request, and no source."""
    if any(root.entry(key) for key in ("source", "on", "event", "endpoint", "webhook")):
        return False
    return _is_alone(root) or _is_pushed(root)


def sends_an_action(root: Node) -> bool:
    """Whether an integration sends an action for each record of its source."""
    to = root.at("push", "to")
    keys = frozenset(map(to_snake, (to.entries if to else None) or {}))
    return root.entry("source") is not None and ActionTarget.tells(keys)


def canonical_action(root: Node, name: str) -> Node:
    """Return an action alone as `{name, push: {to: …}}`, what belongs to the file beside it.

    Args:
        root: the file.
        name: of the action, if the file gives it none.
    """
    entries = dict(root.entries or {})
    if _is_alone(root):
        own = {key: each for key, each in entries.items() if to_snake(key) in FILE_KEYS}
        to = Node(root.place, entries=_others(entries, own))
        pushed = Node(root.place, entries={"to": Entry(root.place, to)})
        entries = {**own, "push": Entry(root.place, pushed)}
    entries.setdefault("name", Entry(root.place, Node(root.place, name)))
    return replace(root, entries=entries)


def as_written(root: Node, mistakes: list[Mistake]) -> list[Mistake]:
    """Return the mistakes with paths as the file writes them."""
    return list(_unwrapped(mistakes)) if _is_alone(root) else mistakes


def _is_alone(root: Node) -> bool:
    return root.entry("url") is not None and root.entry("push") is None


def _is_pushed(root: Node) -> bool:
    push, to = root.at("push"), root.at("push", "to")
    if push is None or to is None or to.entries is None:
        return False
    if any(push.entry(key) for key in _OF_TABLES) or to.entry("webhook"):
        return False
    return "url" in to.entries or bool({to_snake(key) for key in to.entries} & _OF_ACTIONS)


def _others(entries: Mapping[str, Entry], own: Mapping[str, Entry]) -> dict[str, Entry]:
    return {key: each for key, each in entries.items() if key not in own}


def _unwrapped(mistakes: list[Mistake]) -> Iterator[Mistake]:
    for each in mistakes:
        message = each.message.replace(" in `push.to`", "").replace("push.to.", "")
        yield replace(each, path=each.path.removeprefix("push.to").lstrip("."), message=message)
