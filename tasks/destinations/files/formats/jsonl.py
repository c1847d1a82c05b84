"""JSON Lines (https://jsonlines.org): UTF-8, an object on each line, numbers with all digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar, Final

import msgspec

from astrio.tasks.destinations.files.format import FileFormat
from astrio.tasks.destinations.files.nesting import Nesting
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import Column

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode_lines
_CONTAINERS: Final = frozenset({dict, list, tuple})


class Format(FileFormat):
    """A target such as `customer.name` nests; dates and times are text, as in SQL."""

    native: ClassVar = frozenset({bool, int, float, str, Decimal})

    _file: BinaryIO | None = None
    _nesting: Nesting = Nesting(())

    def write(self, rows: Rows, columns: Sequence[Column]) -> None:
        """Write a line for each row."""
        if self._nesting.fields != rows.fields:
            self._nesting = Nesting(rows.fields)
        if rows.rows:
            values = [_as_json(column, rows, place) for place, column in enumerate(columns)]
            objects = self._nesting.objects(zip(*values, strict=True))
            self._out.write(_encode(objects))

    def finish(self) -> None:
        """Close the file."""
        self._out.close()

    @property
    def _out(self) -> BinaryIO:
        if self._file is None:
            self._file = self._spool.create()
        return self._file


def _as_json(column: Column, rows: Rows, place: int) -> Sequence[Any]:
    """Return a column's values as they are encoded: objects and lists are JSON already."""
    if not column.converted:
        return column.values
    given = (type(row[place]) for row in rows.rows)
    return [
        msgspec.Raw(text.encode()) if kind in _CONTAINERS else text
        for text, kind in zip(column.values, given, strict=True)
    ]
