"""Parquet by pyarrow: row groups of bounded size, types from the values seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.files.format import FileFormat
from astrio.tasks.destinations.files.names import column_names
from astrio.tasks.destinations.sql.kinds import Kind, join
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import Column, as_text

try:
    import pyarrow as pa
    from pyarrow import parquet as pq
except ImportError:
    raise ConfigurationError(
        "Writing Parquet needs a package that is not installed.",
        advice="Install it: pip install 'astrio[parquet]'.",
    ) from None

_GROUP_ROWS: Final = 50_000
_GROUP_BYTES: Final = 32 << 20
_DECIMAL: Final = pa.decimal128(38, 9)
_TYPES: Final[Mapping[Kind | None, Any]] = {
    Kind.BOOL: pa.bool_(),
    Kind.INT: pa.int64(),
    Kind.LONG: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.NUMERIC: _DECIMAL,
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_Kinds = dict[str, Kind | None]


class Format(FileFormat):
    """Types widen as those of SQL columns do.

    Rows that do not fit the types of those before begin another piece. If there is more than one,
    all are written once more at the end, with the types that hold all values.
    """

    native: ClassVar = frozenset({bool, int, float, str, Decimal, datetime, date})
    finite: ClassVar = False

    def __init__(self, *settings: Any, **more: Any) -> None:
        """Take what every format takes."""
        super().__init__(*settings, **more)
        self._kinds: _Kinds = {}
        self._pieces: list[_Kinds] = []
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, rows: Rows, columns: Sequence[Column]) -> None:
        """Let rows wait until they are a row group; write it then."""
        given = dict(zip(rows.fields, columns, strict=True))
        wanted = self._kinds | {
            field: _joined(self._kinds.get(field), column) for field, column in given.items()
        }
        if wanted != self._kinds or not self._pieces:
            self._end_piece()
            self._kinds = wanted
            self._pieces.append(wanted)
        if not rows.rows:
            return
        self._waiting.append(_table(wanted, given, len(rows.rows)))
        if (
            sum(each.num_rows for each in self._waiting) >= _GROUP_ROWS
            or sum(each.nbytes for each in self._waiting) >= _GROUP_BYTES
        ):
            self._flush()

    def finish(self) -> None:
        """Write the last row group, and all pieces as one if there are several."""
        if not self._pieces:
            self._pieces.append({})
        self._end_piece(last=True)
        if not self._spool.keeps:
            return
        if len(self._pieces) > 1:
            self._unite()
            self._spool.clear()
        else:
            self._spool.promote(0)

    def _end_piece(self, *, last: bool = False) -> None:
        if not self._pieces:
            return
        if not self._waiting and self._writer is None and not last:
            self._pieces.pop()  # without rows, it holds nothing but its kinds
            return
        self._flush()
        self._open(len(self._pieces) - 1).close()
        self._writer = None

    def _flush(self) -> None:
        if self._waiting:
            together = pa.concat_tables(self._waiting)
            self._waiting = []
            self._open(len(self._pieces) - 1).write_table(together, row_group_size=_GROUP_ROWS)

    def _open(self, piece: int | None) -> Any:
        if self._writer is None:
            out = self._spool.create(piece)
            self._writer = _Writer(out, _schema(self._kinds))
        return self._writer

    def _unite(self) -> None:
        writer = self._open(None)
        for number, kinds in enumerate(self._pieces):
            with self._spool.read(number) as file:
                for group in _groups(file):
                    writer.write_table(_widened(group, kinds, self._kinds))
        writer.close()


class _Writer:
    """pyarrow's writer, which closes the file below it, too."""

    def __init__(self, out: Any, schema: Any) -> None:
        self._out = out
        self._writer = pq.ParquetWriter(out, schema, compression="snappy")

    def write_table(self, table: Any, **how: Any) -> None:
        self._writer.write_table(table, **how)

    def close(self) -> None:
        self._writer.close()
        self._out.close()


def _joined(known: Kind | None, column: Column) -> Kind | None:
    """Return the kind that holds the column's values and those of before."""
    if column.kind is None:
        return known
    kind = column.kind if known is None else join(known, column.kind)
    if kind is Kind.LONG:
        return Kind.LONG
    if kind is Kind.JSON:
        return Kind.TEXT
    if kind is Kind.NUMERIC and not all(map(_fits, column.values)):
        return Kind.TEXT
    return kind


def _fits(value: Any) -> bool:
    """Whether a decimal with nine places holds the number exactly."""
    if value is None:
        return True
    number = Decimal(value)
    if not number.is_finite():
        return False
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    return exponent >= -9 and len(digits) + max(exponent, 0) + 9 - max(-exponent, 0) <= 38


def _table(kinds: _Kinds, given: Mapping[str, Column], rows: int) -> Any:
    arrays = [
        _array(given[field].values, kind) if field in given else pa.nulls(rows, _type(kind))
        for field, kind in kinds.items()
    ]
    return pa.Table.from_arrays(arrays, schema=_schema(kinds))


def _array(values: Sequence[Any], kind: Kind | None) -> Any:
    encode = _ENCODERS.get(kind, as_text)
    return pa.array(values if encode is None else list(map(encode, values)), _type(kind))


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


_ENCODERS: Final[Mapping[Kind | None, Callable[[Any], Any] | None]] = {
    **dict.fromkeys(_TYPES),
    Kind.NUMERIC: _number,
}


def _type(kind: Kind | None) -> Any:
    return _TYPES.get(kind, pa.string())


def _schema(kinds: _Kinds) -> Any:
    return pa.schema(list(zip(column_names(kinds), map(_type, kinds.values()), strict=True)))


def _groups(file: Any) -> Iterator[Any]:
    opened = pq.ParquetFile(file)
    for group in range(opened.num_row_groups):
        yield opened.read_row_group(group)


def _widened(group: Any, kinds: _Kinds, wanted: _Kinds) -> Any:
    """Return a row group with all columns, of the types that hold all values."""
    columns = dict(zip(kinds, group.columns, strict=True))
    arrays = []
    for field, kind in wanted.items():
        column = columns.get(field)
        if column is None or column.null_count == len(column):
            arrays.append(pa.nulls(group.num_rows, _type(kind)))
        elif column.type == _type(kind):
            arrays.append(column)
        else:
            arrays.append(_array([_plain(value) for value in column.to_pylist()], kind))
    return pa.Table.from_arrays(arrays, schema=_schema(wanted))


def _plain(value: Any) -> Any:
    """Return a decimal without the zeros that the column's nine places have added."""
    return Decimal(f"{value.normalize():f}") if isinstance(value, Decimal) else value
