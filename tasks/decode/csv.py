"""Comma-separated values (RFC 4180): rows become records of texts, named by the header row."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, ClassVar

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.base import (
    PIECE,
    BrokenRecord,
    Decoder,
    Piece,
    refuse_other,
    unusable,
    wrong_charset,
)
from astrio.tasks.tuning import PIECE_BYTES

LARGEST_FIELD = 4 * 1024 * 1024
MOST_COLUMNS = 10_000
_LONGEST_LINE = 16 * 1024 * 1024
# The module's own limit of 128 KiB is for the whole process and below what descriptions hold.
csv.field_size_limit(max(csv.field_size_limit(), LARGEST_FIELD))


class Csv(Decoder):
    """A list of records; null if there is not even a header row."""

    name = "csv"
    content_types: ClassVar[tuple[str, ...]] = (
        "text/csv",
        "application/csv",
        "text/x-csv",
        "application/vnd.ms-excel",
    )
    extensions: ClassVar[tuple[str, ...]] = (".csv",)
    delimiter = ","

    def decode(self, content: bytes, kind: str) -> list[Any] | None:
        """Return all records."""
        found = [piece.value for piece in self.pieces(io.BytesIO(content), kind)]
        return None if found == [None] else [row for piece in found for row in piece or ()]

    def pieces(self, file: BinaryIO, kind: str) -> Iterator[Piece]:
        """Yield a thousand records at a time."""
        text = self.text(file, kind)
        lines = _Lines(text, kind)
        delimiter = self.settings.delimiter or self.delimiter
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            columns, rest = self._columns(lines, reader)
            if columns is None:
                yield Piece(None, lines.size)
            else:
                yield from self._pieces(columns, rest, lines)
        except csv.Error as error:
            what = f"is no CSV (line {lines.number:,}: {error})"
            advice = "Check response.delimiter and the quotes."
            raise unusable(what, kind, advice) from None
        except UnicodeError:
            raise wrong_charset(kind) from None

    def _pieces(
        self, columns: list[str], rest: Iterable[list[str]], lines: _Lines
    ) -> Iterator[Piece]:
        before, whole, records = 0, True, list[Any]()
        for row in rest:
            if row:
                records.append(self._record(columns, row, lines.number))
            if len(records) == PIECE or lines.size - before >= PIECE_BYTES:
                yield Piece(records, lines.size - before)
                before, whole, records = lines.size, False, []
        if records or whole:
            yield Piece(records, lines.size - before)

    def _columns(
        self, lines: _Lines, reader: Iterator[list[str]]
    ) -> tuple[list[str] | None, Iterable[list[str]]]:
        """Return the names, and the rows behind them."""
        for _ in islice(lines, self.settings.skip):
            pass
        if isinstance(self.settings.header, tuple):
            return list(self.settings.header), reader
        first = next((row for row in reader if row), None)
        if first is None:
            return None, ()
        if len(first) > MOST_COLUMNS:
            raise ApiAnswerError(
                f"The answer's first row has {len(first):,} columns, more than {MOST_COLUMNS:,}.",
                advice="Check response.format and response.delimiter.",
            )
        if not self.settings.header:
            return [f"column_{place}" for place in range(1, len(first) + 1)], _with(first, reader)
        return _names(first), reader

    def _record(self, columns: list[str], row: list[str], line: int) -> dict[str, Any]:
        if len(row) == len(columns):
            return dict(zip(columns, row, strict=True))
        reason = f"has {len(row):,} fields where the header has {len(columns):,}"
        if self.settings.broken == "reject":
            return BrokenRecord(line, f"The row {reason}.", row)
        raise ApiAnswerError(
            f"Line {line:,} of the answer {reason}.",
            advice="Check response.delimiter; broken: reject quarantines such rows.",
        )


class _Lines:
    """The lines of a text, counted; none is endless or holds a NUL."""

    def __init__(self, text: io.TextIOWrapper, kind: str) -> None:
        self._text = text
        self._kind = kind
        self.number = 0
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        if not self.number:
            refuse_other(self._kind, "CSV", line[:1000].encode(errors="replace"))
        self.number += 1
        self.size += len(line)
        if "\0" in line:
            advice = "It may be UTF-16 (response.charset), or no text at all."
            raise unusable(f"holds a NUL in line {self.number:,}", self._kind, advice)
        if len(line) == _LONGEST_LINE:
            advice = "Check response.format."
            raise unusable(f"holds an endless line ({self.number:,})", self._kind, advice)
        return line


def _names(row: list[str]) -> list[str]:
    """Return the header's names; what has none is called by its place."""
    names = [name.strip() or f"column_{place}" for place, name in enumerate(row, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ApiAnswerError(
            f"The header names {len(twice):,} columns more than once: "
            f"{', '.join(name[:40] for name in twice[:5])}.",
            advice="Give the names in response.header and skip: 1, so that no column is lost.",
        )
    return names


def _with(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest
