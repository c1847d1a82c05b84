"""Replacing the rows of a MySQL table: it stays, and only what differs is written.

All of it is one transaction with astrio's state, which exchanging two tables by RENAME could not
be: MySQL commits when a table is renamed. And triggers, foreign keys and grants hold on to the
table.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Relation, Target, quoted, run
from astrio.tasks.destinations.sql.mysql_load import merging
from astrio.tasks.destinations.sql.mysql_shadow import is_shadowed


def exchange(connection: Connection, staging: Relation, table: Relation) -> None:
    """Let the table hold the staged rows; columns that only the table has get their default."""
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
    if target.key and _merged(connection, staging, target, others):
        return
    run(connection, f"DELETE FROM {quoted(table.name)}")  # noqa: S608 (names are quoted)
    names = ", ".join(map(quoted, target.columns))
    source = f"SELECT {names} FROM {quoted(staging.name)}"  # noqa: S608 (names are quoted)
    run(connection, f"INSERT INTO {quoted(table.name)} ({names}) {source}")


def _merged(connection: Connection, staging: Relation, target: Target, others: list[str]) -> bool:
    """Delete the rows that are gone and merge the others; False if two of them change places.

    That is: what one row is to get in a unique column, another still has.
    """
    into, source = quoted(target.table), quoted(staging.name)
    same = " AND ".join(f"new.{quoted(name)} = old.{quoted(name)}" for name in target.key)
    statements = merging(target, source, others)
    try:
        with savepoint(connection):
            run(
                connection,
                f"DELETE old FROM {into} AS old LEFT JOIN {source} AS new ON {same} "
                f"WHERE new.{quoted(target.key[0])} IS NULL",
            )
            if statements.update:
                run(connection, statements.update)
            if is_shadowed(connection):
                run(connection, statements.drop)
                run(connection, statements.insert)
            else:
                run(connection, statements.add)
    except IntegrityError:
        return False
    return True
