"""Replacing the rows of a PostgreSQL table: it stays, and only what differs is written.

Its views, grants, triggers and foreign keys hold on to the table, so the staging table cannot
take its name; and rows that are still there must not be deleted for a moment, because foreign keys
would refuse that, or delete what refers to them.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Relation, Target, quoted, run
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


def exchange(connection: Connection, staging: Relation, table: Relation) -> None:
    """Let the table hold the staged rows, and drop the staging table.

    Columns that only the table has get their default.
    """
    writable = [held for held in table.columns.values() if not held.generated]
    shared = [held for held in writable if held.name.lower() in staging.columns]
    key = next((key for key in table.unique if key in staging.unique), frozenset())
    target = Target(
        table.name,
        columns=tuple(held.name for held in shared),
        key=tuple(held.name for held in shared if held.name.lower() in key),
        declared=tuple(held.declared for held in shared),
    )
    others = [held.name for held in writable if held not in shared]
    if not target.key or not _merged(connection, staging, target, others):
        run(connection, f"DELETE FROM {quoted(table.name)}")  # noqa: S608 (names are quoted)
        names = ", ".join(map(quoted, target.columns))
        source = f"SELECT {names} FROM {quoted(staging.name)}"  # noqa: S608 (names are quoted)
        run(connection, f"INSERT INTO {quoted(table.name)} ({names}) {source}")
    run(connection, f"DROP TABLE {quoted(staging.name)}")


def _merged(connection: Connection, staging: Relation, target: Target, others: list[str]) -> bool:
    """Delete the rows that are gone and merge the others; False if two of them change places.

    That is: what one row is to get in a unique column, another still has.
    """
    into, source = quoted(target.table), quoted(staging.name)
    same = " AND ".join(f"new.{quoted(name)} = old.{quoted(name)}" for name in target.key)
    gone = f"NOT EXISTS (SELECT FROM {source} AS new WHERE {same})"
    try:
        with savepoint(connection):
            run(connection, f"DELETE FROM {into} AS old WHERE {gone}")  # noqa: S608 (names are quoted)
            run(connection, merging(target, source, others))
    except IntegrityError:
        return False
    return True
