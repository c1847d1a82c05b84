"""Replacing the rows of a MySQL table: it stays, and only what differs is written.

All of it is one transaction with astrio's state, which exchanging two tables by RENAME could not
be: MySQL commits when a table is renamed. And triggers, foreign keys and grants hold on to the
table.
"""

from __future__ import annotations

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.dialect import Relation, Target, quoted, run
from astrio.tasks.destinations.sql.exchanging import exchange
from astrio.tasks.destinations.sql.mysql_load import looked_up, merging
from astrio.tasks.destinations.sql.mysql_shadow import is_shadowed


def swap(connection: Connection, staging: Relation, table: Relation) -> None:
    """Let the table hold the staged rows."""
    exchange(connection, staging, table, _merge)


def _merge(connection: Connection, staging: Relation, target: Target, others: list[str]) -> None:
    into, source = quoted(target.table), quoted(staging.name)
    same = " AND ".join(f"new.{quoted(name)} = old.{quoted(name)}" for name in target.key)
    statements = merging(target, source, others, _looked_up(connection, into, target))
    hint = _looked_up(connection, source, target)
    run(
        connection,
        f"DELETE old FROM {into} AS old LEFT JOIN {source} AS new{hint} ON {same} "
        f"WHERE new.{quoted(target.key[0])} IS NULL",
    )
    if statements.update:
        run(connection, statements.update)
    if is_shadowed(connection):
        run(connection, statements.drop)
        run(connection, statements.insert)
    else:
        run(connection, statements.add)


def _looked_up(connection: Connection, table: str, target: Target) -> str:
    return looked_up(run(connection, f"SHOW INDEX FROM {table}").mappings(), target.key)
