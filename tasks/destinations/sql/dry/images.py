"""Rows as they stand in a table, looked up by their keys and compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from astrio.tasks.destinations.sql.clauses import table_of
from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, quoted
from astrio.tasks.difference import ChangedField, ChangedRow

_AT_ONCE: Final = 200

Key = tuple[Any, ...]
Image = Mapping[str, Any]


def rows_in(connection: Connection, name: str, *, open_in: str | None = None) -> int:
    """Return how many rows a table has, or how many whose column `open_in` is null."""
    of = table_of(name, [] if open_in is None else [open_in])
    query = select(func.count()).select_from(of)
    if open_in is not None:
        query = query.where(of.c[open_in].is_(None))
    return connection.execute(query).scalar_one()


def images(  # noqa: PLR0913 (what is looked up, and where)
    connection: Connection,
    dialect: Dialect,
    relation: Relation,
    key: Sequence[str],
    keys: Sequence[Key],
    *,
    open_in: str | None = None,
) -> dict[Key, Image]:
    """Return the rows of these keys, column by column, as the database returns them.

    Keys that it does not take, and whose rows it will refuse, are passed over with those beside
    them.

    Args:
        connection: in a transaction.
        dialect: the database's.
        relation: the table.
        key: names of the key's columns.
        keys: their values, as the columns take them.
        open_in: only rows whose column of that name is null.
    """
    held = [relation.columns.get(name.lower()) for name in key]
    if None in held:
        return {}
    found: dict[Key, Image] = {}
    columns = [each for each in held if each is not None]
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        try:
            with savepoint(connection):
                found |= _look_up(connection, dialect, relation, columns, some, open_in=open_in)
        except SQLAlchemyError:
            continue
    return found


def _look_up(  # noqa: PLR0913 (as `images`)
    connection: Connection,
    dialect: Dialect,
    relation: Relation,
    key: Sequence[Held],
    keys: Sequence[Key],
    *,
    open_in: str | None,
) -> dict[Key, Image]:
    marks = [dialect.parameter(each.declared) for each in key]
    literally = "%%" if "%" in marks[0] else "%"

    def named(columns: Iterable[Held]) -> str:
        return ", ".join(quoted(each.name) for each in columns).replace("%", literally)

    values = ", ".join([f"({', '.join(marks)})"] * len(keys))
    of = quoted(relation.name).replace("%", literally)
    rows = connection.exec_driver_sql(
        f"SELECT {named(relation.columns.values())} FROM {of} "  # noqa: S608 (names are quoted)
        f"WHERE ({named(key)}) IN {dialect.among(values)}"
        + (f" AND {quoted(open_in)} IS NULL" if open_in else ""),
        tuple(value for each in keys for value in each),
    )
    names = [each.name for each in relation.columns.values()]
    places = [names.index(each.name) for each in key]
    found = {
        tuple(row[place] for place in places): dict(zip(names, row, strict=True)) for row in rows
    }
    order = {each: number for number, each in enumerate(keys)}
    return dict(sorted(found.items(), key=lambda pair: order.get(pair[0], len(keys))))


def changed_row(key: Sequence[str], before: Image, after: Image) -> ChangedRow | None:
    """Return what differs between two images of a row, None if nothing does.

    A column that is new was null; a value whose column has become wider is the same.
    """
    earlier = {name.lower(): value for name, value in before.items()}
    fields = {
        name: ChangedField(before=_plain(earlier.get(name.lower())), after=_plain(value))
        for name, value in after.items()
        if not _same(earlier.get(name.lower()), value)
    }
    if not fields:
        return None
    wanted = {name.lower() for name in key}
    its_key = {name: _plain(value) for name, value in after.items() if name.lower() in wanted}
    return ChangedRow(key=its_key, fields=fields)


def _same(before: Any, after: Any) -> bool:
    if before is None or after is None:
        return before is after
    return bool(before == after) or str(before) == str(after)


def _shortest(value: Decimal) -> str:
    """Return a decimal without the noughts that its column's type puts at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: Any) -> Any:
    """Return the value, or its text, as JSON can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return _shortest(value)
    return value if isinstance(value, bool | int | str | dict | list | None) else str(value)
