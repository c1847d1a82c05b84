"""What a decoder is: bytes of one format to values, whole or piece by piece."""

from __future__ import annotations

import codecs
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, ClassVar, NamedTuple

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.settings import ResponseSettings

PIECE = 1_000
"""Records in a piece, about."""
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Piece(NamedTuple):
    """A part of a body: its value, and how many bytes of the body it is, about."""

    value: Any
    size: int


class BrokenRecord(dict[str, Any]):
    """A line that could not be read, to be quarantined: its number, text and what is wrong."""

    def __init__(self, line: int, reason: str, content: Any) -> None:
        """Take the 1-based line, a sentence about it, and what it holds (shortened)."""
        shown = content[:50] if isinstance(content, list) else str(content)[:1000]
        super().__init__({"line": line, "content": shown})
        self.reason = reason


class RefusedRecord(BrokenRecord):
    """A record with a value that cannot be used, to be quarantined as it is."""

    def __init__(self, record: Mapping[str, Any], reason: str) -> None:
        """Take the record, with texts for what is no JSON, and a sentence about it."""
        dict.__init__(self, record)
        self.reason = reason


class Decoder(ABC):
    """Reads one format.

    To add one, write a module in this package with a subclass and its test; it is found by itself.

    Attributes:
        name: as `response.format` calls it.
        content_types: by which `auto` knows it.
        extensions: of file names, by which a member of an archive is known.
        in_pieces: whether a body may be read piece by piece.
    """

    name: ClassVar[str]
    content_types: ClassVar[tuple[str, ...]] = ()
    extensions: ClassVar[tuple[str, ...]] = ()
    in_pieces: ClassVar[bool] = True

    def __init__(self, settings: ResponseSettings, records: str = "$") -> None:
        """Take `source.response` and the path of the records."""
        self.settings = settings
        self.records = records

    @abstractmethod
    def pieces(self, file: BinaryIO, kind: str) -> Iterator[Piece]:
        """Yield values that each hold a part of the records, in order; at least one.

        A piece ends after `PIECE` records or `PIECE_BYTES` bytes.

        Args:
            file: the body.
            kind: its Content-Type, for the charset.

        Raises:
            ApiAnswerError: the body is not of this format, cut off or damaged.
        """

    @abstractmethod
    def decode(self, content: bytes, kind: str) -> Any:
        """Return the body's value.

        Raises as `pieces`.
        """

    def text(self, file: BinaryIO, kind: str) -> io.TextIOWrapper:
        """Return the body as text: by its byte order mark, the file's charset or the API's."""
        buffered = io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file
        start = buffered.peek(4)[:4] if isinstance(buffered, io.BufferedReader) else _start(file)
        name = charset(start, kind, self.settings)
        return io.TextIOWrapper(buffered, encoding=name, newline="")


def charset(start: bytes, kind: str, settings: ResponseSettings) -> str:
    """Return the charset of a body that begins so; UTF-8 where nothing tells.

    Raises:
        ApiAnswerError: the API declares one that does not exist.
    """
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    declared = _CHARSET.search(kind)
    name = settings.charset or (declared.group(1) if declared else "utf-8")
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise unusable("is in a charset that is unknown", kind, "Set response.charset.") from None


def refuse_other(kind: str, wanted: str, start: bytes) -> None:
    """Refuse an error page or another format that would be taken for text lines.

    Raises:
        ApiAnswerError: the Content-Type or the first character says so.
    """
    told = kind.partition(";")[0].strip().lower()
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if "html" in told or first.startswith((b"<!doctype html", b"<html")):
        raise unusable(
            f"is HTML, not {wanted}",
            kind,
            "Check base_url and path: a login, error or proxy page may answer there.",
        )
    if told in ("application/json", "application/problem+json") and wanted != "JSON Lines":
        raise unusable(f"is JSON, not {wanted}", kind, "Check request and response.format.")


def unusable(what: str, kind: str, advice: str) -> ApiAnswerError:
    """Return the error for a body that cannot be used."""
    told = f" (Content-Type: {kind.partition(';')[0][:80]})" if kind else ""
    return ApiAnswerError(f"The answer's body {what}{told}.", advice=advice)


def wrong_charset(kind: str) -> ApiAnswerError:
    """Return the error for bytes that are no text in the declared charset."""
    return unusable("is not in the charset it claims", kind, "Set response.charset.")


def _start(file: BinaryIO) -> bytes:
    start = file.read(4)
    file.seek(0)
    return start
