"""Loading rows into MySQL or MariaDB: INSERTs of many rows, and statements to merge them by key.

INSERT … ON DUPLICATE KEY UPDATE is not used: it changes the row of whichever unique key a new row
hits, and does not tell rows that were written from those that were like that already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import pymysql
from pymysql.constants import ER
from pymysql.cursors import Cursor

from astrio.tasks.destinations.sql.dialect import Target, quoted
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.mysql_types import compared, is_moment, is_text
from astrio.tasks.destinations.sql.turns import Rows, by_turns

_LONGEST_STATEMENT: Final = 1_000_000
_OVERHEAD: Final = 1_000  # of a packet beside the statement


@dataclass(frozen=True, slots=True)
class Merging:
    """The statements that merge one table's rows into another by the key.

    Attributes:
        update: changes the rows that are there; empty where there is nothing to change.
        drop: removes from the source those that are there; MySQL, unlike MariaDB, lets no
            statement name a temporary table twice, so these and the others are two steps.
        insert: adds what the source has then.
        add: does the same in one step, and leaves the source as it is.
    """

    update: str
    drop: str
    insert: str
    add: str


def load(cursor: Cursor, target: Target, rows: Rows) -> int:
    """Insert rows, or update those whose key exists and whose values differ; count both.

    Of rows with the same key, the later meets what the earlier has left.
    """
    rows = _read(target, rows)
    if not target.key:
        _insert(cursor, quoted(target.table), target, rows)
        return len(rows)
    cursor.execute(f"SHOW INDEX FROM {quoted(target.table)}")
    names = [each[0] for each in cursor.description or ()]
    hint = looked_up([dict(zip(names, row, strict=True)) for row in cursor], target.key)
    return sum(_merge(cursor, target, distinct, hint) for distinct in by_turns(target, rows))


def looked_up(indexes: Iterable[Mapping[Any, Any]], key: Sequence[str]) -> str:
    """Return the hint that a table's rows are looked up by the index of their key.

    Statistics of a table that was filled a moment ago tell that it is empty. The database would
    then read all of it for each row of the other one.

    Args:
        indexes: what SHOW INDEX tells.
        key: columns.
    """
    found: dict[str, list[str]] = {}
    for each in indexes:
        if each.get("Ignored") != "YES" and each.get("Visible") != "NO":
            found.setdefault(each["Key_name"], []).append(str(each["Column_name"] or "").lower())
    wanted = {name.lower() for name in key}
    fitting = (name for name, columns in found.items() if {*columns[: len(wanted)]} == wanted)
    name = next(fitting, None)
    return "" if name is None else f" FORCE INDEX FOR JOIN ({quoted(name)})"


def merging(target: Target, source: str, others: Sequence[str] = (), hint: str = "") -> Merging:
    """Return the statements that merge the rows of `source` into the target by its key.

    Args:
        target: its declared types say how values are compared.
        source: a quoted table with the target's columns.
        others: columns of the target that get their default wherever a row is updated.
        hint: how the target's rows are looked up.
    """
    into, names = quoted(target.table), list(map(quoted, target.columns))
    typed = zip(target.columns, target.declared, strict=True)
    rest = [(quoted(name), kind) for name, kind in typed if name not in target.key]
    same = " AND ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in target.key)
    changes = [f"old.{name} = new.{name}" for name, _ in rest]
    changes += [f"old.{quoted(name)} = DEFAULT(old.{quoted(name)})" for name in others]
    equal = [
        f"{compared(f'old.{name}', kind)} <=> {compared(f'new.{name}', kind)}"
        for name, kind in rest
    ]
    differs = "" if others else f" WHERE NOT ({' AND '.join(equal)}){_not_older(target)}"
    # The source comes first: its rows are looked up in the target, never the other way round.
    update = f"UPDATE {source} AS new STRAIGHT_JOIN {into} AS old{hint} ON {same} "
    missing = f"LEFT JOIN {into} AS old{hint} ON {same} WHERE old.{quoted(target.key[0])} IS NULL"
    selected = ", ".join(f"new.{name}" for name in names)
    insert = f"INSERT INTO {into} ({', '.join(names)}) SELECT {selected} FROM {source} AS new"  # noqa: S608 (names are quoted)
    return Merging(
        update=f"{update}SET {', '.join(changes)}{differs}" if changes else "",
        drop=f"DELETE new FROM {source} AS new STRAIGHT_JOIN {into} AS old{hint} ON {same}",
        insert=insert,
        add=f"{insert} {missing}",
    )


def _not_older(target: Target) -> str:
    """Return what lets no row of a lower version through."""
    if not target.version:
        return ""
    name = quoted(target.version)
    declared = target.declared[target.columns.index(target.version)]
    old, new = (compared(f"{side}.{name}", declared) for side in ("old", "new"))
    return f" AND (old.{name} IS NULL OR {new} >= {old})"


def _merge(cursor: Cursor, target: Target, rows: Rows, hint: str) -> int:
    table, make, merge, ambiguous = _statements(target, hint)
    empty = f"DELETE FROM {table}"  # noqa: S608 (names are quoted; TRUNCATE would commit)
    cursor.execute(make)
    _insert(cursor, table, target, rows)
    if ambiguous and len(rows) > 1 and cursor.execute(ambiguous):
        # Keys that the table's collation does not tell apart meet one after the other.
        cursor.execute(empty)
        middle = len(rows) // 2
        halves = rows[:middle], rows[middle:]
        return sum(_merge(cursor, target, half, hint) for half in halves)
    changed = cursor.execute(merge.update) if merge.update else 0
    cursor.execute(merge.drop)
    changed += cursor.execute(merge.insert)
    cursor.execute(empty)
    return changed


@lru_cache(maxsize=64)
def _statements(target: Target, hint: str) -> tuple[str, str, Merging, str]:
    """Return the temporary table's name, how it is made and merged, and what finds equal keys.

    Its name tells the columns and types, so that a table that has changed gets another one.
    """
    name = quoted(f"_astrio_load_{digest(repr(target))}")
    columns, key = (", ".join(map(quoted, names)) for names in (target.columns, target.key))
    source = f"SELECT {columns} FROM {quoted(target.table)} LIMIT 0"  # noqa: S608 (names are quoted)
    make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} (INDEX ({key})) ENGINE=InnoDB {source}"
    typed = dict(zip(target.columns, target.declared, strict=True))
    equal = f"SELECT 1 FROM {name} GROUP BY {key} HAVING COUNT(*) > 1 LIMIT 1"  # noqa: S608 (as above)
    by_collation = any(is_text(typed[each]) for each in target.key)
    return name, make, merging(target, name, hint=hint), equal if by_collation else ""


def _insert(cursor: Cursor, table: str, target: Target, rows: Rows) -> None:
    names = ", ".join(map(quoted, target.columns))
    head = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608 (names are quoted)
    cursor.execute("SELECT @@max_allowed_packet")
    found = cursor.fetchone()
    assert found is not None
    most = int(found[0]) - _OVERHEAD - len(head)
    for values in _portions(_literals(cursor, rows), most):
        cursor.execute(head + values)


def _literals(cursor: Cursor, rows: Rows) -> Iterator[str]:
    connection = cursor.connection
    encoders: dict[type[object], Callable[..., str]] = {
        **connection.encoders,
        Decimal: _decimal,
    }
    for row in rows:
        yield connection.escape(row, encoders)


def _decimal(value: Decimal, _: object) -> str:
    """Return the digits: an exponent would make the database take them for a float."""
    return format(value, "f")


def _portions(rows: Iterator[str], most: int) -> Iterator[str]:
    """Yield the rows in portions that the server takes as one packet."""
    waiting, size = list[str](), 0
    for row in rows:
        length = len(row) if row.isascii() else len(row.encode())
        if length > most:
            raise pymysql.DataError(ER.NET_PACKET_TOO_LARGE, "it is larger than max_allowed_packet")
        if waiting and size + length > min(most, _LONGEST_STATEMENT):
            yield ",".join(waiting)
            waiting, size = [], 0
        waiting.append(row)
        size += length + 1
    if waiting:
        yield ",".join(waiting)


def _read(target: Target, rows: Rows) -> Rows:
    """Return the rows with the texts of times read: the database knows no `Z` and `+02:00`."""
    places = [place for place, declared in enumerate(target.declared) if is_moment(declared)]
    if not places:
        return rows
    changed = list(map(list, rows))
    for row in changed:
        for place in places:
            row[place] = _moment(row[place])
    return list(map(tuple, changed))


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value
