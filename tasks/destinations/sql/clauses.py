"""Tables as SQLAlchemy's Core takes them, whatever their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, TableClause, Text, bindparam, cast, column, exists, select, table
from sqlalchemy.sql.elements import BindParameter, ColumnClause, ColumnElement, quoted_name
from sqlalchemy.types import NullType

from astrio.tasks.destinations.sql.dialect import Held
from astrio.tasks.destinations.sql.kinds import Kind


def table_of(name: str, columns: Iterable[str] = ()) -> TableClause:
    """Return a table with these columns, of types that nobody needs to know."""
    its_columns: list[ColumnClause[Any]] = [column_of(each) for each in columns]
    return table(quoted_name(name, quote=True), *its_columns)


def column_of(name: str) -> ColumnClause[Any]:
    """Return a column by its name alone."""
    return column(quoted_name(name, quote=True))


def comparable(column: ColumnElement[Any], held: Held) -> ColumnElement[Any]:
    """Return the column, or its text where its type may have no equality."""
    return cast(column, Text) if held.kind in {Kind.JSON, Kind.ANY} else column


def bound(value: Any) -> BindParameter[Any]:
    """Return a value as it is: the database finds out by what it meets of which type it is."""
    return bindparam(None, value, type_=NullType(), unique=True)


def unmatched(one: TableClause, other: TableClause, names: Iterable[str]) -> ColumnElement[bool]:
    """Return what is true of a row of `one` that no row of `other` equals in these columns."""
    same = [one.c[each] == other.c[each] for each in names]
    return ~exists(select(1).select_from(other).where(*same).correlate(one))


def has_rows(connection: Connection, of: TableClause, *conditions: ColumnElement[bool]) -> bool:
    """Whether there is any row of which that is true."""
    found = connection.execute(select(1).select_from(of).where(*conditions).limit(1))
    return found.first() is not None
