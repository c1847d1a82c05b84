"""From batches to a file: rows checked, those that no format can hold set aside."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from astrio.tasks.batch import Batch, Problem
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.files.format import FileFormat
from astrio.tasks.destinations.sql.kinds import Kind, Unstorable
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import RULE, Rows, by_shape, columns_of, unstorable
from astrio.tasks.destinations.sql.values import Column
from astrio.tasks.texts import is_unicode

_NUMBERS: Final = frozenset({Kind.FLOAT, Kind.NUMERIC})
_ENDLESS: Final = "a number that is infinite, or none (NaN), cannot be written in this format"
_NAME: Final = "a field's name with half of a surrogate pair cannot be written"


class FileWriter:
    """Writes the rows of one run's file.

    Attributes:
        rows: how many were written.
    """

    def __init__(self, form: FileFormat, key: tuple[str, ...]) -> None:
        """Take the format, and the fields by which the quarantine knows a record."""
        self._form = form
        self._key = key
        self.rows = 0

    def write(self, batches: Sequence[Batch], quarantined: set[str]) -> tuple[Written, set[str]]:
        """Write rows.

        Returns:
            What became of them, and which of the quarantined keys are written now.
        """
        written, mended = Written(), set[str]()
        for rows in by_shape(batches, self._key, ()):
            accepted = self._write(rows, written)
            if quarantined and accepted.key:
                mended |= quarantined.intersection(map(key_text, accepted.keys()))
        self.rows += written.written
        return written, mended

    def finish(self) -> None:
        """Complete the file."""
        self._form.finish()

    def _write(self, rows: Rows, written: Written) -> Rows:
        columns = self._fitting(rows)
        if columns is None:
            problems = self._problems(rows)
            written.failed += [rows.reject(at, problem) for at, problem in problems.items()]
            rows = rows.without(problems)
            columns = self._columns(rows)
        if rows.fields and all(map(is_unicode, rows.fields)):
            self._form.write(rows, columns)
        written.written += len(rows.rows)
        return rows

    def _fitting(self, rows: Rows) -> list[Column] | None:
        """Return the rows' values column by column, None if there are some to be set aside."""
        if rows.rows and not all(map(is_unicode, rows.fields)):
            return None
        try:
            columns = self._columns(rows)
        except Unstorable:
            return None
        return None if self._form.finite and any(map(_is_endless, columns)) else columns

    def _problems(self, rows: Rows) -> dict[int, Problem]:
        """Return the rows that cannot be written, each with its problem."""
        if not all(map(is_unicode, rows.fields)):
            return dict.fromkeys(range(len(rows.rows)), Problem(None, RULE, _NAME))
        found = unstorable(rows, self._form.native, nan=True)
        if not self._form.finite:
            return found
        for at, row in enumerate(rows.rows):
            for field, value in zip(rows.fields, row, strict=True):
                if not _finite(value):
                    found.setdefault(at, Problem(field, RULE, _ENDLESS))
        return found

    def _columns(self, rows: Rows) -> list[Column]:
        return columns_of(rows, self._form.native, nan=True)


def _is_endless(column: Column) -> bool:
    numbers = column.kind in _NUMBERS or (column.kind is Kind.TEXT and not column.only_text)
    return numbers and not all(map(_finite, column.values))


def _finite(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return isfinite(value)
    return value.is_finite() if kind is Decimal else True
