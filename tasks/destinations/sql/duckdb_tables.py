"""DuckDB's tables: looked up in its catalogue, changed, copied and replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.definitions import (
    indexed_columns,
    reindexed,
    retyped,
    without_foreign_keys,
)
from astrio.tasks.destinations.sql.dialect import Relation, quoted, run
from astrio.tasks.destinations.sql.duckdb_load import merging
from astrio.tasks.destinations.sql.duckdb_types import TYPES, held, text_of
from astrio.tasks.destinations.sql.exchanging import exchange, merged_by
from astrio.tasks.destinations.sql.kinds import Kind

_TEMPORARY: Final = "_astrio_rebuilt"
_MINE: Final = (
    "database_name = current_database() AND schema_name = current_schema() AND lower({}) = lower(?)"
)
_TABLE: Final = _MINE.format("table_name")
_RELATION: Final = (
    f"SELECT table_name, FALSE FROM duckdb_tables() WHERE {_TABLE} UNION ALL "  # noqa: S608 (nothing comes from outside)
    f"SELECT view_name, TRUE FROM duckdb_views() WHERE {_MINE.format('view_name')}"
)
_COLUMNS: Final = (
    "SELECT column_name, data_type, is_generated = 'ALWAYS', "
    "is_nullable = 'NO' AND column_default IS NULL FROM information_schema.columns "
    "WHERE table_catalog = current_database() AND table_schema = current_schema() "
    "AND table_name = ? ORDER BY ordinal_position"
)
_KEYS: Final = (
    f"SELECT constraint_column_names FROM duckdb_constraints() WHERE {_TABLE} "  # noqa: S608 (as above)
    "AND constraint_type IN ('PRIMARY KEY', 'UNIQUE') ORDER BY constraint_type <> 'PRIMARY KEY'"
)
_CONSTRAINED: Final = (
    f"SELECT DISTINCT lower(unnest(constraint_column_names)) FROM duckdb_constraints() WHERE {_TABLE} "  # noqa: S608, E501 (as above)
    "AND constraint_type <> 'NOT NULL'"
)
_INDEXES: Final = (
    f"SELECT index_name, is_unique, sql FROM duckdb_indexes() WHERE {_TABLE} ORDER BY index_oid"  # noqa: S608 (as above)
)
_TRIGGERS: Final = f"SELECT sql FROM duckdb_triggers() WHERE {_TABLE} ORDER BY trigger_oid"  # noqa: S608 (as above)
_DEFINITION: Final = f"SELECT sql FROM duckdb_tables() WHERE {_TABLE}"  # noqa: S608 (as above)


def describe(connection: Connection, table: str) -> Relation | None:
    """Read names, types and unique keys from the catalogue."""
    found = connection.exec_driver_sql(_RELATION, (table, table)).first()
    if found is None:
        return None
    name, is_view = found
    columns = connection.exec_driver_sql(_COLUMNS, (name,)).all()
    keys = connection.exec_driver_sql(_KEYS, (name,)).scalars().all()
    unique: list[frozenset[str | None]] = [frozenset(map(str.lower, key)) for key in keys]
    for _, is_unique, sql in connection.exec_driver_sql(_INDEXES, (name,)):
        if is_unique:
            unique.append(frozenset(each and each.lower() for each in indexed_columns(sql)))
    return Relation(
        name,
        is_view=is_view,
        columns={
            own.lower(): held(own, declared, generated=generated)
            for own, declared, generated, _ in columns
        },
        unique=unique,
        required=frozenset(row[0].lower() for row in columns if row[3]),
    )


def retype(connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
    """Change the columns' types in place, or build the table anew where that is not possible."""
    name = relation.name
    constrained = connection.exec_driver_sql(_CONSTRAINED, (name,)).scalars().all()
    indexes = connection.exec_driver_sql(_INDEXES, (name,)).all()
    generated = any(held.generated for held in relation.columns.values())
    if indexes or generated or any(each.lower() in constrained for each in kinds):
        _rebuild(connection, relation, kinds)
        return
    for each, kind in kinds.items():
        how = f"TYPE {TYPES[kind]} USING {_converted(relation, each, kind)}"
        run(connection, f"ALTER TABLE {quoted(name)} ALTER COLUMN {quoted(each)} {how}")


def clone(connection: Connection, relation: Relation, name: str) -> None:
    """Create an empty table `name` by the table's own definition, and its unique indexes."""
    created = without_foreign_keys(definition(connection, relation.name))
    run(connection, retyped(created, quoted(name), {}))
    for number, sql in enumerate(unique_indexes(connection, relation.name)):
        run(connection, reindexed(sql, quoted(f"{name}_{number}"), quoted(name)))


def unique_indexes(connection: Connection, name: str) -> list[str]:
    """Return the statements that create the table's unique indexes."""
    indexes = connection.exec_driver_sql(_INDEXES, (name,)).all()
    return [sql for _, unique, sql in indexes if unique]


def swap(connection: Connection, staging: Relation, table: Relation | None, name: str) -> None:
    """Let `table` hold the staged rows, or rename the staging table if there is no table yet."""
    if table is None:
        run(connection, f"ALTER TABLE {quoted(staging.name)} RENAME TO {quoted(name)}")
        return
    if set(staging.unique) <= set(table.unique):
        exchange(connection, staging, table, merged_by(merging))
    else:
        # An index that is made now would meet the rows that the same transaction has deleted.
        shared = [each for each in table.columns if each in staging.columns]
        names = [table.columns[each].name for each in shared]
        values = ", ".join(quoted(staging.columns[each].name) for each in shared)
        source = f"SELECT {values} FROM {quoted(staging.name)}"  # noqa: S608 (names are quoted)
        _remake(connection, table.name, {}, names, source)
    run(connection, f"DROP TABLE {quoted(staging.name)}")


def _rebuild(connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
    stored = [each.name for each in relation.columns.values() if not each.generated]
    values = [
        _converted(relation, each, kinds[each]) if each in kinds else quoted(each)
        for each in stored
    ]
    source = f"SELECT {', '.join(values)} FROM {quoted(relation.name)}"  # noqa: S608 (names are quoted)
    types = {each: TYPES[kind] for each, kind in kinds.items()}
    _remake(connection, relation.name, types, stored, source)


def _remake(
    connection: Connection, name: str, types: Mapping[str, str], columns: list[str], source: str
) -> None:
    """Make a table anew, some of its columns of other types, with the rows of a query."""
    indexes = connection.exec_driver_sql(_INDEXES, (name,)).all()
    dependants = [sql for _, _, sql in indexes]
    dependants += connection.exec_driver_sql(_TRIGGERS, (name,)).scalars().all()
    run(connection, retyped(definition(connection, name), _TEMPORARY, types))
    run(connection, f"INSERT INTO {_TEMPORARY} ({', '.join(map(quoted, columns))}) {source}")
    run(connection, f"DROP TABLE {quoted(name)}")
    run(connection, f"ALTER TABLE {_TEMPORARY} RENAME TO {quoted(name)}")
    for statement in dependants:
        run(connection, statement)


def _converted(relation: Relation, name: str, kind: Kind) -> str:
    text = text_of(quoted(name), relation.columns[name.lower()].declared)
    return text if kind is Kind.TEXT else f"CAST({text} AS {TYPES[kind]})"


def definition(connection: Connection, name: str) -> str:
    """Return the statement that creates the table, in DuckDB's own words."""
    return str(connection.exec_driver_sql(_DEFINITION, (name,)).scalar_one())
