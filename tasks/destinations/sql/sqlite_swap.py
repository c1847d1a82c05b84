"""Swapping tables in SQLite: the staging table is made like the table, and takes its name.

Nothing is copied, so the swap takes hardly longer than creating the table's indexes anew; and as
in the rebuilding of a table, views, triggers and foreign keys that refer to it stay as they are.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.definitions import column_definitions, reindexed, retyped
from astrio.tasks.destinations.sql.dialect import Relation, quoted
from astrio.tasks.destinations.sql.sqlite_rebuild import definition, rename, take_place

_UNIQUE: Final = (
    "SELECT m.sql FROM pragma_index_list(?) AS i JOIN sqlite_master AS m ON m.name = i.name "
    "WHERE i.\"unique\" AND m.type = 'index' AND m.sql IS NOT NULL"
)
_INDEXES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
)
_SEQUENCE: Final = (
    "INSERT INTO sqlite_sequence (name, seq) SELECT ?, seq FROM sqlite_sequence WHERE name = ?"
)


def clone(connection: Connection, relation: Relation, name: str) -> None:
    """Create an empty table `name` by the table's own CREATE statement, and its unique indexes."""
    created = definition(connection, relation.name)
    connection.exec_driver_sql(retyped(created, quoted(name), {}))
    # Numbers that AUTOINCREMENT has given once are not given again; astrio's own quarantine has
    # such a column, so the table of sequences exists.
    connection.exec_driver_sql(_SEQUENCE, (name, relation.name))
    indexes = connection.exec_driver_sql(_UNIQUE, (relation.name,)).scalars().all()
    for number, index in enumerate(indexes):
        its_name = quoted(f"{name}_{number}")
        connection.exec_driver_sql(reindexed(str(index), its_name, quoted(name)))


def swap(connection: Connection, staging: Relation, table: Relation | None, name: str) -> None:
    """Drop `table` and let `staging` take its name, or `name` if there is no table yet."""
    for index in connection.exec_driver_sql(_INDEXES, (staging.name,)).scalars().all():
        connection.exec_driver_sql(f"DROP INDEX {quoted(index)}")
    if table is None:
        rename(connection, staging.name, name)
        return
    columns = column_definitions(definition(connection, table.name))
    for missing in filter(lambda each: each not in staging.columns, table.columns):
        added = f"ALTER TABLE {quoted(staging.name)} ADD COLUMN {columns[missing]}"
        connection.exec_driver_sql(added)
    take_place(connection, staging.name, table.name)
