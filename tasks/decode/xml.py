"""XML (defusedxml: no entities, nothing external): elements become objects.

- An element with attributes or children is an object: attributes as `@name`, children by their
  local name (without namespace), text as `#text`.
- An element with text only is that text; an empty one is null.
- Children of one name are a list; a single one is no list, except on the way of `records`: what
  that path names is always a list, and an element without children has an empty one there.

The body is an object with the root's name: `records: $.orders.order` for `<orders><order/>…`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.base import (
    PIECE,
    Decoder,
    Piece,
    charset,
    refuse_other,
    unusable,
    wrong_charset,
)
from astrio.tasks.paths import Every, compile_path
from astrio.tasks.tuning import PIECE_BYTES

DEEPEST = 200
_CHUNK = 32 * 1024


class Xml(Decoder):
    """An object with the root element's name and value."""

    name = "xml"
    content_types = ("application/xml", "text/xml", "application/atom+xml", "application/rss+xml")
    extensions = (".xml",)

    def decode(self, content: bytes, kind: str) -> Any:
        """Return the document."""
        builder = _Builder(self.records)
        for _ in self._parsed(builder, io.BytesIO(content), kind):
            pass
        return builder.document

    def pieces(self, file: BinaryIO, kind: str) -> Iterator[Piece]:
        """Yield the document so far with about a thousand records, and the rest at the end."""
        builder, size = _Builder(self.records), 0
        for more in self._parsed(builder, file, kind):
            size += more
            if builder.is_full(size):
                yield Piece(builder.taken(), size)
                size = 0
        yield Piece(builder.document, size)

    def _parsed(self, builder: _Builder, file: BinaryIO, kind: str) -> Iterator[int]:
        """Feed the parser chunk by chunk; yield the size of each."""
        start = file.read(1024)
        file.seek(0)
        refuse_other(kind, "XML", start)
        if not start.strip():
            raise unusable("is empty", kind, "Check base_url and path: XML was expected.")
        parser = DefusedXMLParser(target=builder)
        told = "charset" in kind.lower() or self.settings.charset
        # A declared charset wins over the XML declaration (RFC 7303); text is parsed as it is.
        source: Any = (
            self.text(file, kind) if told and charset(start, kind, self.settings) else file
        )
        try:
            while chunk := source.read(_CHUNK):
                parser.feed(chunk)
                yield len(chunk)
            parser.close()
        except ParseError as error:
            line, column = error.position
            what = f"is no whole XML (line {line:,}, column {column + 1:,}: {_reason(error)})"
            raise unusable(what, kind, "Run again; if it stays, the fault is the API's.") from None
        except DefusedXmlException:
            what = "declares entities, which can blow up or read files"
            raise unusable(what, kind, "Such XML is never read.") from None
        except (UnicodeError, LookupError):
            raise wrong_charset(kind) from None
        except ValueError:
            raise unusable("is in an encoding that XML readers refuse", kind, "") from None


class _Element:
    __slots__ = ("children", "listed", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.children: dict[str, Any] = {f"@{_local(k)}": v for k, v in attributes.items()}
        self.text: list[str] = []
        self.listed: set[str] = set()

    def add(self, name: str, value: Any, *, listed: bool) -> None:
        if name in self.listed:
            self.children[name].append(value)
        elif name in self.children:
            self.children[name] = [self.children[name], value]
            self.listed.add(name)
        elif listed:
            self.children[name] = [value]
            self.listed.add(name)
        else:
            self.children[name] = value

    def value(self) -> Any:
        text = "".join(self.text)
        if not self.children:
            return text or None
        if text.strip():
            self.children["#text"] = text.strip()
        return self.children


class _Builder:
    """Takes the parser's events, and keeps only what is open."""

    def __init__(self, records: str) -> None:
        path = compile_path(records)
        steps = path.steps if path.expression is None else ()
        self._names = tuple(step for step in steps if isinstance(step, str))
        self._lists = {
            place
            for place, step in enumerate(self._names)
            if place == len(self._names) - 1 or _wild(steps, step)
        }
        plain = [step for step in steps if step is not Every.ITEM]
        self._splits = (
            len(self._names) > 1 and plain == list(self._names) and (len(steps) - len(plain) <= 1)
        )
        self._open: list[_Element] = [_Element("", {})]
        self.waiting: list[Any] = []

    @property
    def document(self) -> Any:
        return self._open[0].children

    def is_full(self, size: int) -> bool:
        """Whether a piece's worth of records is there, and more may follow beside them.

        Args:
            size: bytes since the last piece.
        """
        many = len(self.waiting) > PIECE or (size >= PIECE_BYTES and bool(self.waiting))
        return many and len(self._open) >= len(self._names)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) > DEEPEST:
            raise ApiAnswerError(
                f"The answer's XML is nested more than {DEEPEST} levels deep.",
                advice="The fault is the API's.",
            )
        self._open.append(_Element(_local(tag), attributes))

    def data(self, text: str) -> None:
        self._open[-1].text.append(text)

    def end(self, _tag: str) -> None:
        element = self._open.pop()
        place, above = len(self._open) - 1, self._open[-1]
        on_path = self._on_path(place) and self._names[place] == element.name
        if self._holds_records(element, place):
            element.children[self._names[-1]] = element.children.get(self._names[-1], [])
        listed = on_path and place in self._lists
        above.add(element.name, element.value(), listed=listed)
        if self._splits and on_path and place == len(self._names) - 1:
            self.waiting = above.children[element.name]

    def close(self) -> None:
        """End the document (the parser calls it)."""

    def taken(self) -> Any:
        """Return the document so far, and begin a new list of records."""
        records, self.waiting = self.waiting, []
        for element in self._open:
            if element.children.get(self._names[-1]) is records:
                element.children[self._names[-1]] = self.waiting
        value: Any = records
        names = list(self._names)
        for element in reversed(self._open[: len(names)]):
            value = {**element.children, names.pop(): value}
        return value

    def _on_path(self, place: int) -> bool:
        """Whether the open elements are those that the records path names, up to `place`."""
        if place >= len(self._names):
            return False
        opened = (element.name for element in self._open[1:])
        return all(a == b for a, b in zip(opened, self._names, strict=False))

    def _holds_records(self, element: _Element, place: int) -> bool:
        """Whether it is the records' parent and has no children, or only records taken before."""
        if place != len(self._names) - 2 or not self._on_path(place):
            return False
        return element.name == self._names[place] and all(
            name.startswith("@") for name in element.children
        )


def _wild(steps: tuple[Any, ...], name: str) -> bool:
    place = steps.index(name) + 1
    return place < len(steps) and steps[place] is Every.ITEM


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _reason(error: ParseError) -> str:
    return str(error).partition(":")[0]
