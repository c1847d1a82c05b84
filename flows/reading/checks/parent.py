"""`source.parent`: the parent's key belongs to the child's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Entry, Node


def check(root: Node) -> Iterator[Mistake]:
    """Yield a key under which children of different parents would overwrite each other."""
    source = root.at("source")
    parent = source.entry("parent") if source else None
    if parent is None or parent.node.entries is None:
        return
    unique, key = parent.node.at("unique_ids"), root.at("push", "key")
    unseen = root.at("transform") is not None  # what a function returns is known when it runs
    if key is None or not key.items or unseen or (unique and unique.value is True):
        return
    name = parent.node.text("as") or "parent"
    mapping = root.at("map")
    expressions = [
        str(entry.node.value) for target in key.items if (entry := _entry(mapping, target))
    ]
    if not any(re.search(rf"\b{re.escape(name)}\b", text) for text in expressions):
        key_path = parent.node.text("key") or "id"
        words = (
            "`key` lacks the parent's key, so children of different parents could overwrite each "
            f"other: map `{name}_id: {name}.{key_path}` and add it, or set "
            "`source.parent.unique_ids: true`"
        )
        yield Mistake.at(key.place, "push.key", words)


def _entry(mapping: Node | None, target: Node) -> Entry | None:
    entries = (mapping.entries if mapping else None) or {}
    return entries.get(str(target.value))
