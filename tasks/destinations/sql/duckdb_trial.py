"""Trying rows out, to find those that DuckDB would refuse.

A refused row ends the transaction, so rows are not tried in it: a database in memory gets a table
of the same definition, and from the real one what the rows would meet there, and they are halved
until each refused one is found. What only the real database knows (foreign keys, triggers, unique
expressions) it refuses later, at greater cost (`Bulk`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import Connection

from astrio.tasks.destinations.sql.definitions import without_foreign_keys
from astrio.tasks.destinations.sql.dialect import Relation, Target, quoted
from astrio.tasks.destinations.sql.duckdb_driver import JournaledConnection
from astrio.tasks.destinations.sql.duckdb_errors import refusal
from astrio.tasks.destinations.sql.duckdb_load import arrow_of, cast, load
from astrio.tasks.destinations.sql.duckdb_tables import definition, describe, unique_indexes

Rows = Sequence[tuple[Any, ...]]

_COUNTER: Final = re.compile(r"nextval\('((?:[^']|'')+)'\)")
_NAMES: Final = "_astrio_rows"


def refused(connection: Connection, target: Target, rows: Rows) -> dict[int, str]:
    """Return the places of rows that are refused, as far as can be told, each with the words.

    Args:
        connection: in a transaction, which stays as it is.
        target: the table.
        rows: as `Dialect.put` takes them.
    """
    relation = describe(connection, target.table)
    assert relation is not None  # it has just been fitted to the rows
    with duckdb.connect(":memory:") as raw:
        raw.execute("SET TimeZone = 'UTC'")
        try:
            _prepare(raw, connection, relation)
        except duckdb.Error:  # its definition needs what only the real database has
            return {}
        met = _met(connection, relation, target, rows)
        if met is not None:
            names = ", ".join(map(quoted, met.column_names))
            raw.register(_NAMES, met)
            raw.execute(f"INSERT INTO {quoted(relation.name)} ({names}) SELECT * FROM {_NAMES}")  # noqa: S608 (names are quoted)
            raw.unregister(_NAMES)
        return dict(_halved(JournaledConnection(raw), target, rows, 0))


def _prepare(raw: duckdb.DuckDBPyConnection, connection: Connection, relation: Relation) -> None:
    created = without_foreign_keys(definition(connection, relation.name))
    for counter in set(_COUNTER.findall(created)):
        raw.execute(f"CREATE SEQUENCE {quoted(counter.replace(chr(39) * 2, chr(39)))}")
    raw.execute(created)
    for statement in unique_indexes(connection, relation.name):
        raw.execute(statement)


def _met(connection: Connection, relation: Relation, target: Target, rows: Rows) -> pa.Table | None:
    """Return the rows of the table that share a unique key with one of the rows."""
    loaded = {
        name.lower(): cast(f"new.{quoted(name)}", declared, "TRY_CAST")
        for name, declared in zip(target.columns, target.declared, strict=True)
    }
    conditions = []
    for key in relation.unique:
        names = [name for name in key if name is not None and name in loaded]
        if names and len(names) == len(key):
            pairs = (
                f"old.{quoted(relation.columns[name].name)} = {loaded[name]}" for name in names
            )
            conditions.append(
                f"EXISTS (SELECT 1 FROM {_NAMES} AS new WHERE {' AND '.join(pairs)})"  # noqa: S608 (names are quoted)
            )
    if not conditions:
        return None
    stored = [quoted(each.name) for each in relation.columns.values() if not each.generated]
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, JournaledConnection)
    return driver.look_up(
        f"SELECT {', '.join(stored)} FROM {quoted(relation.name)} AS old "  # noqa: S608 (names are quoted)
        f"WHERE {' OR '.join(conditions)}",
        arrow_of(target, rows),
    )


def _halved(
    trial: JournaledConnection, target: Target, rows: Rows, first: int
) -> Iterator[tuple[int, str]]:
    """Yield the places of refused rows, those of `rows` beginning with `first`."""
    trial.begin()
    try:
        load(trial, target, rows)
        trial.commit()
        return
    except duckdb.Error as error:
        with suppress(duckdb.Error):
            trial.rollback()
        words = refusal(error)
    if words is None:
        return
    if len(rows) == 1:
        yield first, words
        return
    middle = len(rows) // 2
    yield from _halved(trial, target, rows[:middle], first)
    yield from _halved(trial, target, rows[middle:], first + middle)
