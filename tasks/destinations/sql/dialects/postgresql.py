"""PostgreSQL 12 and later, through psycopg 3: COPY into a temporary table, then one merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Table,
    collate,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.pool import NullPool

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target, quoted, run
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.postgresql_types import TYPES, held, text_of

try:
    import psycopg
except ImportError:
    raise ConfigurationError(
        "Writing to PostgreSQL needs its driver, psycopg.",
        advice="Install it: pip install 'astrio[postgres]'",
    ) from None

from astrio.tasks.destinations.sql.postgresql_errors import explain, refusal
from astrio.tasks.destinations.sql.postgresql_load import load
from astrio.tasks.destinations.sql.postgresql_swap import rename, swap

_MET = "astrio_met"
"""Under this name a connection keeps what `load` is to know of it."""
_QUEUE = 0x61737472696F  # any number that nobody else locks
_RELATION = """
    SELECT oid, relname, relkind IN ('v', 'm') FROM pg_class
    WHERE lower(relname) = lower(%s) AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND pg_table_is_visible(oid) ORDER BY relname = %s DESC LIMIT 1
"""
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod),
        CASE typtype WHEN 'd' THEN format_type(typbasetype, typtypmod)
            ELSE format_type(atttypid, atttypmod) END,
        typcategory, attgenerated <> '' OR attidentity = 'a',
        attnotnull AND NOT atthasdef AND attidentity = ''
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_UNIQUE = """
    SELECT array_agg(lower(attname)) FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1])
    WHERE indrelid = %s AND indisunique AND indisvalid AND indimmediate
        AND indpred IS NULL AND indexprs IS NULL
    GROUP BY indexrelid, indisprimary ORDER BY indisprimary DESC, indexrelid
"""


class PostgresqlDialect(Dialect):
    """PostgreSQL; tables are looked up, and made, in the schemas of the URL's search path."""

    types: ClassVar = TYPES
    native = frozenset({bool, int, float, str, Decimal, date, datetime})
    nan = True
    driver_errors = (psycopg.Error,)
    concurrent = True
    longest_name = 63

    def engine(self, url: URL) -> Engine:
        """Return an engine with one connection at a time, which poolers such as PgBouncer bear."""
        settings = {"application_name": "astrio", "connect_timeout": 10, "client_encoding": "utf8"}
        own = {name: value for name, value in settings.items() if name not in url.query}
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"prepare_threshold": None, **own},
        )
        event.listen(engine, "begin", _begin)
        return engine

    def exists(self, url: URL) -> bool:  # noqa: ARG002 (it cannot be told from the URL)
        """Leave the question to the first connection."""
        return True

    def reference(self, url: URL) -> str:
        """Return server and database, and whatever else of the URL tells the schema."""
        host = url.host or url.query.get("host") or "localhost"
        options = {name: value for name, value in url.query.items() if name == "options"}
        known = URL.create(
            "postgresql",
            host=str(host),
            port=url.port or 5432,
            database=url.database,
            query=options,
        )
        return str(known)

    def stored(self, kind: Kind) -> Kind:
        """Return the kind itself: there is an exact type for each."""
        return Kind.INT if kind is Kind.LONG else kind

    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Read names, types and unique keys from the catalogue."""
        found = connection.exec_driver_sql(_RELATION, (table, table)).first()
        if found is None:
            return None
        number, name, is_view = found
        columns = dict[str, Held]()
        required = set[str]()
        for own, declared, base, category, generated, must in connection.exec_driver_sql(
            _COLUMNS, (number,)
        ):
            columns[own.lower()] = held(own, declared, base, category, generated=generated)
            if must:
                required.add(own.lower())
        unique = connection.exec_driver_sql(_UNIQUE, (number,)).scalars().all()
        return Relation(
            name,
            is_view=is_view,
            columns=columns,
            unique=list(map(frozenset, unique)),
            required=frozenset(required),
        )

    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Change the columns' types in one statement; texts are as `as_text` makes them."""
        changes = []
        for name, kind in kinds.items():
            column, declared = quoted(name), relation.columns[name.lower()].declared
            text = kind is Kind.TEXT
            value = text_of(column, declared) if text else f"{column}::text::{TYPES[kind]}"
            changes.append(f"ALTER COLUMN {column} TYPE {TYPES[kind]} USING {value}")
        run(connection, f"ALTER TABLE {quoted(relation.name)} {', '.join(changes)}")

    def clone(self, connection: Connection, relation: Relation, name: str) -> None:
        """Create an empty table that is like the other; a crash of the server empties it."""
        like = f"(LIKE {quoted(relation.name)} INCLUDING ALL)"
        run(connection, f"CREATE UNLOGGED TABLE {quoted(name)} {like}")

    def queue(self, connection: Connection) -> None:
        """Wait for whoever makes tables now; the transaction's end lets the next one go on."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_QUEUE,))

    def work_in(self, connection: Connection, schema: str, *, create: bool) -> None:
        """Use the schema, and no other, until the transaction ends."""
        if create:
            self.queue(connection)
            run(connection, f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        run(connection, f"SET LOCAL search_path = {quoted(schema)}")

    def swap(self, connection: Connection, staging: Relation, table: str) -> None:
        """Write what differs, and delete what is gone; triggers fire and foreign keys act."""
        relation = self.describe(connection, table)
        if relation is None:
            rename(connection, staging, table)
        else:
            swap(connection, staging, relation)

    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """COPY the rows, and merge them by their key; rows that a trigger drops are not counted."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor:
            return load(cursor, target, rows, connection.info.setdefault(_MET, set()))

    def parameter(self, declared: str) -> str:
        """Cast the value as storing it would."""
        return f"%s::{declared}"

    def ordered(self, column: ColumnElement[Any], held: Held) -> ColumnElement[Any]:
        """Compare texts as Python does, whatever the database's collation."""
        plain = held.declared.startswith(("text", "character"))
        return collate(column, "C") if plain else column

    def empty(self, connection: Connection, table: str) -> None:
        """Truncate it: deleted rows would be read again and again."""
        run(connection, f"TRUNCATE pg_temp.{quoted(table)}")

    def check_deferred(self, connection: Connection) -> None:
        """Check them now, within a savepoint: what is to be deferred stays so."""
        run(connection, "SAVEPOINT _astrio_check")
        run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
        run(connection, "ROLLBACK TO SAVEPOINT _astrio_check; RELEASE SAVEPOINT _astrio_check")

    def insert(self, table: Table) -> postgresql.Insert:
        """Return PostgreSQL's own INSERT."""
        return postgresql.insert(table)

    def refusal(self, error: Exception) -> str | None:
        """Tell a row's fault from the database's."""
        return refusal(error)

    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Say what PostgreSQL's code means."""
        return explain(error, reference)


def _begin(connection: Connection) -> None:
    # For this transaction only, so that nothing stays behind in a pooled session.
    run(connection, "SET LOCAL lock_timeout = '30s'; SET LOCAL TimeZone = 'UTC'")


dialect = PostgresqlDialect()
