"""Loading rows into DuckDB: as a table of Arrow's, and one statement to merge it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, Final

import pyarrow as pa

from astrio.tasks.destinations.sql.dialect import Target, quoted
from astrio.tasks.destinations.sql.duckdb_driver import JournaledConnection
from astrio.tasks.destinations.sql.duckdb_types import is_nested
from astrio.tasks.destinations.sql.turns import by_turns
from astrio.tasks.destinations.sql.values import as_text

Rows = Sequence[tuple[Any, ...]]

_ARROW: Final = {
    "BOOLEAN": pa.bool_(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "JSON": pa.string(),
    "VARCHAR": pa.string(),
}
_BY_VALUE: Final = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
_ROWS: Final = "_astrio_rows"


def load(driver: JournaledConnection, target: Target, rows: Rows) -> int:
    """Insert rows, or update those whose key exists and whose values differ; count both.

    Of rows with the same key, the later meets what the earlier has left.
    """
    statement = _statement(target)
    turns = by_turns(target, rows) if target.key else (rows,)
    return sum(driver.write_rows(statement, arrow_of(target, turn)) for turn in turns)


def merging(target: Target, source: str, others: Sequence[str] = ()) -> str:
    """Return the statement that merges the rows of `source` into the target by its key.

    Args:
        target: its declared types say how values are compared.
        source: a quoted table, or a query in parentheses, with the target's columns.
        others: columns of the target that get their default wherever a row is updated.
    """
    names = list(map(quoted, target.columns))
    key = list(map(quoted, target.key))
    rest = [name for name in names if name not in key]
    same = " AND ".join(f"old.{name} = new.{name}" for name in key)
    changes = [f"{name} = new.{name}" for name in rest]
    changes += [f"{quoted(name)} = DEFAULT" for name in others]
    differs = " OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in rest)
    condition = "" if others else f" AND ({differs}){_not_older(target)}"
    update = f"WHEN MATCHED{condition} THEN UPDATE SET {', '.join(changes)} " if changes else ""
    return (
        f"MERGE INTO {quoted(target.table)} AS old USING {source} AS new ON {same} {update}"  # noqa: S608 (names are quoted)
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) "
        f"VALUES ({', '.join(f'new.{name}' for name in names)})"
    )


def _not_older(target: Target) -> str:
    """Return what lets no row of a lower version through."""
    if not target.version:
        return ""
    name = quoted(target.version)
    return f" AND (old.{name} IS NULL OR new.{name} >= old.{name})"


@lru_cache(maxsize=64)
def _statement(target: Target) -> str:
    typed = zip(target.columns, target.declared, strict=True)
    values = ", ".join(
        f"{cast(quoted(name), declared)} AS {quoted(name)}" for name, declared in typed
    )
    source = f"SELECT {values} FROM {_ROWS}"  # noqa: S608 (names are quoted)
    if target.key:
        return merging(target, f"({source})")
    names = ", ".join(map(quoted, target.columns))
    return f"INSERT INTO {quoted(target.table)} ({names}) {source}"


def cast(column: str, declared: str, how: str = "CAST") -> str:
    """Return the SQL of a loaded column's value in the type it is to have."""
    value = f"{how}({column} AS JSON)" if is_nested(declared) else column
    return f"{how}({value} AS {declared})"


def arrow_of(target: Target, rows: Rows) -> pa.Table:
    """Return the rows as a table, each column as it is or as texts that are to be cast."""
    columns = zip(*rows, strict=True)
    arrays = [_array(*each) for each in zip(columns, target.declared, strict=True)]
    return pa.Table.from_arrays(arrays, names=list(target.columns))


def _array(values: Sequence[Any], declared: str) -> pa.Array:
    """Return the values as they are, or as texts that the database casts."""
    kind = _ARROW.get(declared) or _by_value(values)
    if kind is not None:
        try:
            return pa.array(values, kind)
        except (pa.ArrowException, OverflowError):
            pass
    return pa.array(map(as_text, values), pa.string(), size=len(values))


def _by_value(values: Sequence[Any]) -> pa.DataType | None:
    types = set(map(type, values)) - {NoneType}
    return _BY_VALUE.get(types.pop()) if len(types) == 1 else None
