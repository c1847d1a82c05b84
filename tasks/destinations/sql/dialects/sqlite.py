"""SQLite: exact values in spite of its type affinities, and rows by the driver's executemany."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Table,
    TableClause,
    and_,
    bindparam,
    column,
    create_engine,
    event,
    or_,
    tuple_,
)
from sqlalchemy import table as table_clause
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import quoted_name

from astrio.blocks.errors import AstrioError, ConfigurationError, DestinationError
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.sqlite_errors import explain, refusal
from astrio.tasks.destinations.sql.sqlite_rebuild import rebuild
from astrio.tasks.destinations.sql.sqlite_swap import clone, swap
from astrio.tasks.destinations.sql.values import as_text

_BUSY_SECONDS = 30
_PARAMETERS = 900
"""Of one statement, at most: every build of SQLite takes 999."""
_RELATION = "SELECT name, type FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN "
_COLUMNS = (
    'SELECT name, type, pk, "notnull" AND dflt_value IS NULL AND NOT hidden '
    "AND NOT (pk AND upper(type) = 'INTEGER') FROM pragma_table_xinfo(?) WHERE hidden <> 1"
)
_UNIQUE = (
    "SELECT i.name, lower(c.name) FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c "
    'WHERE i."unique" AND NOT i.partial'
)


class SqliteDialect(Dialect):
    """SQLite files; the journal mode and everything else of the user's file stay as they are."""

    types: ClassVar = {
        Kind.BOOL: "BOOLEAN",
        Kind.INT: "BIGINT",
        Kind.FLOAT: "DOUBLE",
        Kind.JSON: "JSON",
        Kind.TEXT: "TEXT",
    }
    native = frozenset({bool, int, float, str})
    nan = False
    driver_errors = (sqlite3.Error,)
    concurrent = False

    def engine(self, url: URL) -> Engine:
        """Return an engine with one connection at a time."""
        path = _file(url)
        if path.is_dir():
            raise DestinationError(
                f"The database {path} is a folder.", advice="Name a file in it in push.to.url."
            )
        if not path.parent.is_dir():
            raise DestinationError(
                f"The folder of the database {path} does not exist.",
                advice=f"Create it first: mkdir -p {path.parent}",
            )
        engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={} if "timeout" in url.query else {"timeout": _BUSY_SECONDS},
        )
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def exists(self, url: URL) -> bool:
        """Whether the file is there."""
        return _file(url).is_file()

    def reference(self, url: URL) -> str:
        """Return the file's absolute path."""
        return str(_file(url))

    def stored(self, kind: Kind) -> Kind:
        """Return the kind itself, or TEXT for what SQLite has no exact type for."""
        if kind is Kind.LONG:
            return Kind.INT
        return kind if kind in self.types else Kind.TEXT

    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Read names, declared types and unique keys."""
        found = connection.exec_driver_sql(_RELATION + "('table', 'view')", (table,)).first()
        if found is None:
            return None
        name = str(found[0])
        columns = connection.exec_driver_sql(_COLUMNS, (name,)).all()
        keys: dict[str, set[str | None]] = {}
        for index, key in connection.exec_driver_sql(_UNIQUE, (name,)):
            keys.setdefault(index, set()).add(key)
        primary = {str(row[0]).lower() for row in columns if row[2]}
        return Relation(
            name,
            is_view=found[1] == "view",
            columns={row[0].lower(): Held(row[0], _kind(row[1]), row[1]) for row in columns},
            unique=[frozenset(primary), *map(frozenset, keys.values())],
            required=frozenset(str(row[0]).lower() for row in columns if row[3]),
        )

    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Rebuild the table: SQLite cannot change a column's type."""
        types = {name: self.types[kind] for name, kind in kinds.items()}
        rebuild(connection, relation, types)

    def clone(self, connection: Connection, relation: Relation, name: str) -> None:
        """Create an empty table by the other's CREATE statement."""
        clone(connection, relation, name)

    def swap(self, connection: Connection, staging: Relation, table: str) -> None:
        """Drop the table and rename the other; its triggers do not fire."""
        swap(connection, staging, self.describe(connection, table), table)

    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """Give the rows to the driver, many with one statement, in their order.

        A statement that takes many rows costs each a third less than one of its own, with the same
        outcome. Rows changed by triggers are not counted.
        """
        cursor = connection.connection.cursor()
        many = max(1, _PARAMETERS // len(target.columns))
        whole = len(rows) - len(rows) % many
        changed = 0
        try:
            for some, size in ((rows[:whole], many), (rows[whole:], len(rows) - whole)):
                if some:
                    cursor.executemany(_statement_of(target, size), _joined(some, size))  # type: ignore[arg-type]  # sqlite3 takes any iterable
                    changed += cursor.rowcount
            return changed
        except sqlite3.IntegrityError as error:
            if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr] # sqlite3's own attribute
                raise
            # A constraint or trigger of the table says ROLLBACK: the chunk's other rows are gone.
            raise sqlite3.OperationalError(f"{error}, which rolls back all rows") from error
        finally:
            cursor.close()

    def insert(self, table: Table) -> sqlite.Insert:
        """Return SQLite's own INSERT."""
        return sqlite.insert(table)

    def refusal(self, error: Exception) -> str | None:
        """Tell a row's fault from the database's."""
        return refusal(error)

    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Say what SQLite's result code means."""
        return explain(error, reference)


def _joined(rows: Sequence[tuple[Any, ...]], size: int) -> Iterable[tuple[Any, ...]]:
    """Yield the values of so many rows, again and again."""
    for at in range(0, len(rows), size):
        yield tuple(chain.from_iterable(rows[at : at + size]))


@lru_cache(maxsize=64)
def _statement_of(target: Target, rows: int) -> str:
    """Return the statement that inserts so many rows."""
    columns = ", ".join(map(sqlite.dialect().identifier_preparer.quote_identifier, target.columns))
    row = f"({', '.join('?' * len(target.columns))})"
    # No name can hold this: quotes are doubled within names.
    head, values, tail = _statement(target).partition(f"({columns}) VALUES {row}")
    return f"{head}{values}{f', {row}' * (rows - 1)}{tail}"


@lru_cache(maxsize=64)
def _statement(target: Target) -> str:
    names = [quoted_name(name, quote=True) for name in target.columns]
    into = table_clause(quoted_name(target.table, quote=True), *map(column, names))
    insert = sqlite.insert(into).values(
        {name: bindparam(f"p{number}") for number, name in enumerate(names)}
    )
    if target.key:
        rest = [into.c[name] for name in names if name not in target.key]
        new = [insert.excluded[each.name] for each in rest]
        key = [into.c[name] for name in names if name in target.key]
        insert = (
            insert.on_conflict_do_update(
                index_elements=key,
                set_=dict(zip(rest, new, strict=True)),
                where=and_(
                    tuple_(*rest).is_distinct_from(tuple_(*new)),
                    *_not_older(insert, into, target),
                ),
            )
            if rest
            else insert.on_conflict_do_nothing(index_elements=key)
        )
    return str(insert.compile(dialect=sqlite.dialect()))


def _not_older(
    insert: sqlite.Insert, into: TableClause, target: Target
) -> Iterator[ColumnElement[bool]]:
    """Yield what lets no row of a lower version through."""
    if target.version:
        old, new = into.c[target.version], insert.excluded[target.version]
        yield or_(old.is_(None), new >= old)


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    # With the driver's own transactions, DDL is committed before it can be rolled back.
    connection.isolation_level = None
    connection.create_function("_astrio_text", 2, _text_of, deterministic=True)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


def _text_of(value: Any, of_bool: int) -> str | bytes | None:
    """Return the stored value's text as `as_text` writes it; blobs and nulls stay."""
    if isinstance(value, bytes):
        return value
    return as_text(bool(value) if of_bool and value in {0, 1} else value)


def _kind(declared: str) -> Kind:
    """Return what SQLite's affinity (https://sqlite.org/datatype3.html) makes of a type's name."""
    name = declared.upper()
    if "INT" in name:
        return Kind.INT
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        return Kind.TEXT
    if not name or "BLOB" in name:
        return Kind.ANY
    if "BOOL" in name:
        return Kind.BOOL
    return Kind.JSON if "JSON" in name else Kind.FLOAT


def _file(url: URL) -> Path:
    database = url.database or ""
    if database.startswith("file:"):
        database = unquote(urlsplit(database).path)
    if database in {"", ":memory:"} or url.query.get("mode") == "memory":
        raise ConfigurationError(
            "A database in memory is gone when the process ends.",
            advice='Name a file, e.g. "sqlite:///orders.db".',
        )
    return Path(database).absolute()


dialect = SqliteDialect()
