"""Replacing the rows of a table that stays: only what differs is written."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Relation, Target, quoted, run

Merge = Callable[[Connection, Relation, Target, list[str]], None]


def exchange(connection: Connection, staging: Relation, table: Relation, merge: Merge) -> None:
    """Let the table hold the staged rows; columns that only the table has get their default.

    Args:
        connection: in a transaction.
        staging: the table with the new rows.
        table: the table that is to hold them.
        merge: deletes the rows that are gone and merges the others; takes where rows go, and the
            columns that get their default. It may raise IntegrityError where two rows change
            places: what one is to get in a unique column, another still has.
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
    if target.key:
        try:
            with savepoint(connection):
                merge(connection, staging, target, others)
        except IntegrityError:
            pass  # two change places: all are written anew
        else:
            return
    run(connection, f"DELETE FROM {quoted(table.name)}")  # noqa: S608 (names are quoted)
    names = ", ".join(map(quoted, target.columns))
    source = f"SELECT {names} FROM {quoted(staging.name)}"  # noqa: S608 (names are quoted)
    run(connection, f"INSERT INTO {quoted(table.name)} ({names}) {source}")


def merged_by(statement: Callable[[Target, str, list[str]], str]) -> Merge:
    """Return a merge by one DELETE and one MERGE; `statement` returns the latter's text."""

    def merge(connection: Connection, staging: Relation, target: Target, others: list[str]) -> None:
        into, source = quoted(target.table), quoted(staging.name)
        same = " AND ".join(f"new.{quoted(name)} = old.{quoted(name)}" for name in target.key)
        gone = f"NOT EXISTS (SELECT 1 FROM {source} AS new WHERE {same})"  # noqa: S608 (names are quoted)
        run(connection, f"DELETE FROM {into} AS old WHERE {gone}")  # noqa: S608 (names are quoted)
        run(connection, statement(target, source, others))

    return merge
