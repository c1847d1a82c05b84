"""CSV (RFC 4180): UTF-8, a header, lines that end with CR LF, quotes where they are needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any, BinaryIO, ClassVar, Final

from astrio.tasks.destinations.files.format import FileFormat
from astrio.tasks.destinations.files.names import column_names
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import Column, as_text

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_END: Final = b"\r\n"
_SECOND: Final = 1


class Format(FileFormat):
    """The header names every field of the run, in the order in which they came.

    Rows of before a field came lack its place at their end. They get it when all rows are
    there, in a second reading.
    """

    native: ClassVar = frozenset({bool, int, float, str, Decimal})

    _file: BinaryIO | None = None

    def __init__(self, *settings: Any, **more: Any) -> None:
        """Take what every format takes."""
        super().__init__(*settings, **more)
        self._fields: dict[str, None] = {}
        self._widths: list[tuple[int, int]] = []  # (columns, rows of so many), in order

    def write(self, rows: Rows, columns: Sequence[Column]) -> None:
        """Write a line for each row; its header before the first."""
        self._fields.update(dict.fromkeys(rows.fields))
        if self._file is None:
            self._file = self._spool.create()
            self._file.write(self._header())
            self._widths.append((len(self._fields), 0))
        if rows.rows:
            self._file.write(self._lines(rows, columns))
            self._count(len(rows.rows))

    def finish(self) -> None:
        """Close the file, after all rows have got all columns."""
        if self._file is None:
            self._file = self._spool.create()
        self._file.close()
        if self._spool.keeps and any(width < len(self._fields) for width, _ in self._widths):
            self._widen()

    def _count(self, rows: int) -> None:
        width, before = self._widths[-1]
        if width == len(self._fields):
            self._widths[-1] = (width, before + rows)
        else:
            self._widths.append((len(self._fields), rows))

    def _header(self) -> bytes:
        return self._text([[self._cell(name) for name in column_names(self._fields)]])

    def _lines(self, rows: Rows, columns: Sequence[Column]) -> bytes:
        cells = dict(zip(rows.fields, map(self._cells, columns), strict=True))
        blank = ("",) * len(rows.rows)
        return self._text(zip(*(cells.get(field, blank) for field in self._fields), strict=True))

    def _cells(self, column: Column) -> Sequence[Any]:
        values = column.values
        if not column.only_text:
            values = list(map(as_text, values))
        if self._escapes:
            # A number may begin with a minus; a text that does is told from it.
            numbers = (type(value) in (int, float, Decimal) for value in column.values)
            cells = zip(values, numbers, strict=True)
            return [text if number else self._cell(text) for text, number in cells]
        return values

    def _cell(self, text: str | None) -> str | None:
        escaped = self._escapes and text is not None and text.startswith(_FORMULAS)
        return f"'{text}" if escaped else text

    @staticmethod
    def _text(rows: Any) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()

    def _widen(self) -> None:
        with self._spool.read() as old, self._spool.create(_SECOND) as new:
            records = _records(old)
            next(records)
            new.write(self._header())
            for width, rows in self._widths:
                missing = b"," * (len(self._fields) - width)
                for _ in repeat(None, rows):
                    new.write(next(records)[: -len(_END)] + missing + _END)
        self._spool.promote(_SECOND)


def _records(file: BinaryIO) -> Iterator[bytes]:
    """Yield the records of what was written: a line end between quotes ends none."""
    record = b""
    for line in file:
        record += line
        if record.endswith(_END) and record.count(b'"') % 2 == 0:
            yield record
            record = b""
