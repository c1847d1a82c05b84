"""Replacing the rows of a PostgreSQL table: it stays, and only what differs is written.

Its views, grants, triggers and foreign keys hold on to the table, so the staging table cannot
take its name; and rows that are still there must not be deleted for a moment, because foreign keys
would refuse that, or delete what refers to them.
"""

from __future__ import annotations

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.dialect import Relation, quoted, run
from astrio.tasks.destinations.sql.exchanging import exchange, merged_by
from astrio.tasks.destinations.sql.postgresql_load import merging

_CONSTRAINTS = (
    "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'p'"
)


def rename(connection: Connection, staging: Relation, table: str) -> None:
    """Let the staging table be the table."""
    old, new = quoted(staging.name), quoted(table)
    run(connection, f"ALTER TABLE {old} SET LOGGED")  # a copy of a table is not
    for name in connection.exec_driver_sql(_CONSTRAINTS, (old,)).scalars().all():
        key = quoted(f"{table}_pkey"[:63])
        run(connection, f"ALTER TABLE {old} RENAME CONSTRAINT {quoted(name)} TO {key}")
    run(connection, f"ALTER TABLE {old} RENAME TO {new}")


def swap(connection: Connection, staging: Relation, table: Relation) -> None:
    """Let the table hold the staged rows, and drop the staging table."""
    exchange(connection, staging, table, merged_by(merging))
    run(connection, f"DROP TABLE {quoted(staging.name)}")
