"""Loading rows into PostgreSQL: COPY into a temporary table, and one statement to merge it.

Into a table that the run itself has made, rows are copied at once, which costs the server half as
much; as soon as a key is there already, they are merged as into any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from psycopg import Cursor
from psycopg.errors import UniqueViolation

from astrio.tasks.destinations.sql.dialect import Target, quoted
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.postgresql_types import compared, without_zone
from astrio.tasks.destinations.sql.turns import Rows, by_turns


def load(cursor: Cursor[Any], target: Target, rows: Rows, met: set[str]) -> int:
    """Insert rows, or update those whose key exists and whose values differ; count both.

    Of rows with the same key, the later meets what the earlier has left. `met` holds the tables
    that are fresh, but in which a key has come for a second time.
    """
    rows = _in_utc(target, rows)
    if not target.key:
        _copy(cursor, quoted(target.table), target, rows)
        return len(rows)
    turns = list(by_turns(target, rows))
    if target.fresh and target.table not in met:
        if len(turns) == 1 and _copied(cursor, target, rows):
            return cursor.rowcount
        met.add(target.table)
    statements = _statements(target)
    return sum(_merge(cursor, target, statements, distinct) for distinct in turns)


def _copied(cursor: Cursor[Any], target: Target, rows: Rows) -> bool:
    """Copy rows straight into the table; nothing is left of them if one of its keys is there."""
    try:
        with cursor.connection.transaction():
            _copy(cursor, quoted(target.table), target, rows)
    except UniqueViolation:
        return False
    return True


def merging(target: Target, source: str, others: Sequence[str] = ()) -> str:
    """Return the statement that merges the rows of `source` into the target by its key.

    Args:
        target: its declared types say how values are compared.
        source: a quoted table with the target's columns.
        others: columns of the target that get their default wherever a row is updated.
    """
    names = ", ".join(map(quoted, target.columns))
    typed = zip(target.columns, target.declared, strict=True)
    rest = [(quoted(name), kind) for name, kind in typed if name not in target.key]
    changes = [f"{name} = excluded.{name}" for name, _ in rest]
    changes += [f"{quoted(name)} = DEFAULT" for name in others]
    action = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
    if rest and not others:
        old = ", ".join(compared(f"old.{name}", kind) for name, kind in rest)
        new = ", ".join(compared(f"excluded.{name}", kind) for name, kind in rest)
        action += f" WHERE ({old}) IS DISTINCT FROM ({new}){_not_older(target)}"
    return (
        f"INSERT INTO {quoted(target.table)} AS old ({names}) SELECT {names} FROM {source} "  # noqa: S608 (names are quoted)
        f"ON CONFLICT ({', '.join(map(quoted, target.key))}) {action}"
    )


def _not_older(target: Target) -> str:
    """Return what lets no row of a lower version through."""
    if not target.version:
        return ""
    name = quoted(target.version)
    declared = target.declared[target.columns.index(target.version)]
    plain = ' COLLATE "C"' if declared.startswith(("text", "character")) else ""
    return f" AND (old.{name} IS NULL OR excluded.{name} >= old.{name}{plain})"


@lru_cache(maxsize=64)
def _statements(target: Target) -> tuple[str, str, str, str]:
    """Return the temporary table's name, and how it is made, merged and emptied.

    Its name tells the columns and types, so that a table that has changed gets another one.
    """
    name = quoted(f"_astrio_load_{digest(repr(target))}")
    columns = ", ".join(map(quoted, target.columns))
    source = f"SELECT {columns} FROM {quoted(target.table)}"  # noqa: S608 (names are quoted)
    return (
        f"pg_temp.{name}",
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS {source} WITH NO DATA",
        merging(target, f"pg_temp.{name}"),
        f"TRUNCATE pg_temp.{name}",
    )


def _merge(
    cursor: Cursor[Any], target: Target, statements: tuple[str, str, str, str], rows: Rows
) -> int:
    table, make, merge, empty = (each.encode() for each in statements)
    cursor.execute(make)
    _copy(cursor, table.decode(), target, rows)
    changed = cursor.execute(merge).rowcount
    cursor.execute(empty)
    return changed


def _copy(cursor: Cursor[Any], table: str, target: Target, rows: Rows) -> None:
    statement = f"COPY {table} ({', '.join(map(quoted, target.columns))}) FROM STDIN"
    with cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _in_utc(target: Target, rows: Rows) -> Rows:
    """Return the rows with the times of columns without a zone in UTC.

    The database itself would ignore the offset.
    """
    places = [place for place, declared in enumerate(target.declared) if without_zone(declared)]
    if not places:
        return rows
    changed = list(map(list, rows))
    for row in changed:
        for place in places:
            value = row[place]
            if isinstance(value, datetime) and value.tzinfo is not None:
                row[place] = value.astimezone(UTC).replace(tzinfo=None)
    return list(map(tuple, changed))
