"""Reading a YAML (or JSON) file into nodes that know their place; refusing what is unsafe.

Aliases, anchors, tags, duplicate keys and a second document are refused: the first three have no
use in a file of this size, and the others lose data silently in most readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from astrio.blocks.errors import ConfigurationError
from astrio.flows.reading.mistakes import Mistake, Place
from astrio.flows.reading.node import Entry, Node
from astrio.flows.reading.syntax import explain
from astrio.tasks.scalars import loses_zeros, resolve

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATES = re.compile(r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(slots=True)
class Document:
    """A file as read: its nodes (None if it cannot be read) and what is wrong with its form."""

    root: Node | None
    mistakes: list[Mistake] = field(default_factory=list)


class _UnreadableError(Exception):
    """What follows cannot be read."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


def read_document(path: Path) -> Document:
    """Read a file.

    Raises:
        ConfigurationError: there is no such file, or it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigurationError(
            f"{path}: {reason}.",
            advice="Name an integration file; `astrio init` writes an example.",
        ) from error
    return parse_bytes(content)


def parse_bytes(content: bytes) -> Document:
    """Parse a file's content."""
    try:
        return parse(_decode(content))
    except _UnreadableError as error:
        return Document(None, [error.mistake])


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _UnreadableError(
            Mistake(1, 1, "", "the file is larger than 1 MiB: is it the right one?")
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        raise _UnreadableError(_mistake_after(before, "this is not UTF-8 text")) from None


def _mistake_after(before: str, message: str) -> Mistake:
    return Mistake(before.count("\n") + 1, len(before) - before.rfind("\n"), "", message)


def parse(text: str) -> Document:
    """Parse YAML text; JSON is YAML too."""
    if bad := _UNPRINTABLE.search(text):
        words = f"a control character (U+{ord(bad[0]):04X}) cannot stand in a file"
        return Document(None, [_mistake_after(text[: bad.start()], words)])
    # YAML has no surrogate pairs, JSON writes emoji with them.
    text = _SURROGATES.sub(_joined, text)
    reader = _Reader(text)
    try:
        return Document(reader.document(), reader.mistakes)
    except _UnreadableError as error:
        return Document(None, [*reader.mistakes, error.mistake])
    except yaml.MarkedYAMLError as error:
        syntax = explain(error, text)
        said = any(mistake.line == syntax.line for mistake in reader.mistakes)
        return Document(None, reader.mistakes + [syntax] * (not said))


def _joined(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    return f"\\U{0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00:08x}"


class _Reader:
    """Builds nodes from the parser's events; what is refused is noted and read as null."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self.mistakes: list[Mistake] = []

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _UnreadableError(Mistake(1, 1, "", "the file is empty"))
        root = self._node(next(self._events), "", 0)
        next(self._events)  # the document's end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            message = "a second document begins here: one file holds one integration"
            raise _UnreadableError(Mistake.at(_place(event), "", message))
        if root.entries is None:
            found = "the file is empty" if root.value is None and root.items is None else ""
            raise _UnreadableError(
                Mistake.at(root.place, "", found or "expected `name:`, `source:`, …")
            )
        return root

    def _node(self, event: Any, path: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _UnreadableError(Mistake.at(_place(event), path, "nested too deeply"))
        if isinstance(event, yaml.AliasEvent):
            words = "aliases (`*name`) are not read: put text in quotes, or write the value out"
            return self._refused(event, path, words)
        if event.anchor:
            self._note(event, path, "anchors (`&name`) are not read: put text in quotes")
        if event.tag:
            self._note(event, path, f"tags (`{event.tag}`) are not read: put text in quotes")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(event, path, depth)
        return self._mapping(event, path, depth)

    def _note(self, event: Any, path: str, message: str, *, warning: bool = False) -> None:
        self.mistakes.append(Mistake.at(_place(event), path, message, warning=warning))

    def _refused(self, event: Any, path: str, message: str) -> Node:
        self._note(event, path, message)
        return Node(_place(event))

    def _scalar(self, event: Any, path: str) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        value = event.value
        if event.implicit[0]:  # neither quoted nor tagged
            if loses_zeros(value):
                words = f"`{value}` is read as the number {int(value)}; quote it to keep the zeros"
                self._note(event, path, words, warning=True)
            try:
                value = resolve(value)
            except ValueError as error:
                return self._refused(event, path, str(error))
        tail = self._text[end:].partition("\n")[0]
        return Node(_place(event), value, raw=self._text[start:end], tail=tail)

    def _list(self, event: Any, path: str, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(item, f"{path}[{len(items)}]", depth + 1))
        return Node(_place(event), items=tuple(items))

    def _mapping(self, event: Any, path: str, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        if self._text.startswith("{{", _offset(event)):
            self._note(event, path, "text that begins with `{{` must be in quotes")
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = self._key(key, path, depth)
            below = f"{path}.{name}" if path else name
            entry = Entry(_place(key), self._node(next(self._events), below, depth + 1))
            if name in entries:
                line = entries[name].place.line
                self._note(key, below, f"`{name}` is written twice (first in line {line})")
            entries.setdefault(name, entry)
        return Node(_place(event), entries=entries)

    def _key(self, event: Any, path: str, depth: int) -> str:
        """Return a key's text as written: `on`, `no` and `401` are text here."""
        if isinstance(event, yaml.ScalarEvent) and (event.value or not event.implicit[0]):
            if event.anchor or event.tag:
                self._note(event, path, "anchors and tags are not read: put text in quotes")
            return str(event.value)
        if not self._text.startswith("{{", _offset(event) - 1):  # said already
            self._note(event, path, "a key must be text")
        self._node(event, path, depth + 1)  # read to its end
        return ""


def _offset(event: Any) -> int:
    return int(event.start_mark.index)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
