"""A value of the file that knows where it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from astrio.flows.reading.mistakes import Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping, and where the key stands."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a mapping or a list.

    Attributes:
        place: where it begins.
        value: the scalar's value; None for the other two.
        entries: the mapping's entries by key, as written; None for the other two.
        items: the list's items; None for the other two.
        raw: the text between the scalar's first and last character, quotes included.
        tail: the rest of the scalar's last line.
    """

    place: Place
    value: Any = None
    entries: Mapping[str, Entry] | None = None
    items: tuple[Node, ...] | None = None
    raw: str = field(default="", repr=False)
    tail: str = field(default="", repr=False)

    def plain(self) -> Any:
        """Return the value without positions: JSON values."""
        if self.entries is not None:
            return {key: entry.node.plain() for key, entry in self.entries.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.value

    def entry(self, key: str) -> Entry | None:
        """Return the mapping's entry `key`, written in snake_case or camelCase."""
        entries = self.entries or {}
        return entries.get(key) or entries.get(to_camel(key))

    def at(self, *keys: str) -> Node | None:
        """Return the node below `keys` (given in snake_case), or None."""
        node: Node | None = self
        for key in keys:
            entry = node.entry(key) if node else None
            node = entry.node if entry else None
        return node

    def text(self, *keys: str) -> str | None:
        """Return the text below `keys`, or None where there is none."""
        node = self.at(*keys)
        return node.value if node and isinstance(node.value, str) else None

    def scalars(self, path: str = "") -> Iterator[tuple[str, Node]]:
        """Yield (dotted path, node) of every scalar at or below this node."""
        if self.entries is None and self.items is None:
            yield path, self
        for key, entry in (self.entries or {}).items():
            yield from entry.node.scalars(f"{path}.{key}" if path else key)
        for index, item in enumerate(self.items or ()):
            yield from item.scalars(f"{path}[{index}]")

    def place_of(self, offset: int) -> Place:
        """Return the place of character `offset` of the scalar's value, as exactly as known.

        Exact for text on one line and for literal blocks (`|`); elsewhere the scalar's start.
        """
        if self.raw.startswith("|"):
            return self._place_in_block(offset)
        before = self.value[:offset]
        doubled, escaped = before.replace("'", "''"), json.dumps(before, ensure_ascii=False)[:-1]
        for shown in (before, f"'{doubled}", escaped):
            if self.raw.startswith(shown) and "\n" not in shown:
                return Place(self.place.line, self.place.column + len(shown))
        return self.place

    def _place_in_block(self, offset: int) -> Place:
        line = self.value.count("\n", 0, offset) + 1
        column = offset - (self.value.rfind("\n", 0, offset) + 1)
        written = self.raw.split("\n")[1:]
        first = next(text for text in written if text.strip())
        indent = len(first) - len(first.lstrip(" "))
        return Place(self.place.line + line, indent + column + 1)
