"""Changing column types in SQLite, which has no ALTER TYPE: the table is rebuilt.

Follows https://sqlite.org/lang_altertable.html#otheralter within the caller's transaction. The
table's own CREATE statement is kept, save for its name and the types concerned, so that keys,
constraints, defaults and generated columns stay; its indexes and triggers are created anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, column, func, insert, select, table
from sqlalchemy.sql.elements import ColumnClause, ColumnElement, quoted_name

from astrio.tasks.destinations.sql.definitions import retyped
from astrio.tasks.destinations.sql.dialect import Relation, quoted
from astrio.tasks.destinations.sql.kinds import Kind

_TEMPORARY: Final = "_astrio_rebuilt"
_DEFINITION: Final = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
_DEPENDANTS: Final = (
    "SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE "
    "AND type IN ('index', 'trigger') AND sql IS NOT NULL"
)
_STORED: Final = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0"


def rebuild(connection: Connection, relation: Relation, types: Mapping[str, str]) -> None:
    """Give columns (by name) new declared types; values turn into text where the type is TEXT."""
    connection.exec_driver_sql(retyped(definition(connection, relation.name), _TEMPORARY, types))
    _copy(connection, relation, types)
    take_place(connection, _TEMPORARY, relation.name)


def take_place(connection: Connection, new: str, name: str) -> None:
    """Drop the table `name` and call the table `new` by that name; indexes and triggers stay."""
    dependants = connection.exec_driver_sql(_DEPENDANTS, (name,)).scalars().all()
    with _references_kept(connection):
        connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
        rename(connection, new, name)
        for statement in dependants:
            connection.exec_driver_sql(statement)


def rename(connection: Connection, old: str, new: str) -> None:
    """Rename a table; what refers to the new name stays as it is."""
    with _references_kept(connection):
        connection.exec_driver_sql(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}")


@contextmanager
def _references_kept(connection: Connection) -> Iterator[None]:
    # Otherwise renaming would rewrite the references of other tables, views and triggers, and
    # fail where one refers to a table that is missing.
    before = connection.exec_driver_sql("PRAGMA legacy_alter_table").scalar()
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA legacy_alter_table = {before}")


def definition(connection: Connection, name: str) -> str:
    """Return the table's CREATE statement."""
    return str(connection.exec_driver_sql(_DEFINITION, (name,)).scalar_one())


def _copy(connection: Connection, relation: Relation, types: Mapping[str, str]) -> None:
    names = [
        quoted_name(str(name), quote=True)
        for name in connection.exec_driver_sql(_STORED, (relation.name,)).scalars()
    ]
    columns: list[ColumnClause[Any]] = [column(name) for name in names]
    source = table(quoted_name(relation.name, quote=True), *columns)
    into = table(_TEMPORARY, *(column(name) for name in names))

    def value(name: str) -> ColumnElement[object]:
        if types.get(name) != "TEXT":
            return source.c[name]
        was_bool = relation.columns[name.lower()].kind is Kind.BOOL
        return func._astrio_text(source.c[name], int(was_bool))

    connection.execute(insert(into).from_select(list(names), select(*map(value, names))))
