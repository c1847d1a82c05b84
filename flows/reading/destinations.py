"""Files with several destinations: told one by one, and each looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from astrio.flows.reading.node import Entry, Node
from astrio.flows.reading.spellings import canonical


def with_destinations(root: Node) -> Node:
    """Return the file with `push` as a list, where it is one, or its `to` is."""
    entry = root.entry("push")
    if entry is None:
        return root
    every = list(_spread(entry.node))
    if every == [entry.node]:
        return root
    told = [canonical(_with_push(root, entry, each)).at("push") or each for each in every]
    return _with_push(root, entry, replace(entry.node, entries=None, items=tuple(told)))


def one_by_one(root: Node) -> Iterator[Node]:
    """Yield the file with each of its destinations alone: what is true of one is checked of all."""
    entry = root.entry("push")
    if entry is None or entry.node.items is None:
        yield root
        return
    for item in entry.node.items:
        yield _with_push(root, Entry(item.place, entry.node), item)


def _spread(push: Node) -> Iterator[Node]:
    if push.items is not None:
        for item in push.items:
            yield from _spread(item)
        return
    to = push.entry("to")
    if to is None or to.node.items is None or not to.node.items:
        yield push
        return
    for each in to.node.items:
        yield replace(push, entries={**(push.entries or {}), "to": Entry(each.place, each)})


def _with_push(root: Node, entry: Entry, push: Node) -> Node:
    new = Entry(entry.place, push)
    entries = root.entries or {}
    return replace(
        root, entries={key: new if key == "push" else each for key, each in entries.items()}
    )
