"""MySQL 8.0.19 and MariaDB 10.6 and later, through PyMySQL: INSERTs of many rows, then a merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    LargeBinary,
    Table,
    cast,
    create_engine,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import TextClause

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target, quoted, run
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.locked import LockedError
from astrio.tasks.destinations.sql.values import Column as Values

try:
    import pymysql
    from pymysql import converters
except ImportError:
    raise ConfigurationError(
        "Writing to MySQL or MariaDB needs its driver, PyMySQL.",
        advice="Install it: pip install 'astrio[mysql]'",
    ) from None

from astrio.tasks.destinations.sql import mysql_catalogue, mysql_retype, mysql_shadow
from astrio.tasks.destinations.sql.mysql_errors import explain, refusal
from astrio.tasks.destinations.sql.mysql_load import load
from astrio.tasks.destinations.sql.mysql_swap import swap
from astrio.tasks.destinations.sql.mysql_types import (
    FRACTION_DIGITS,
    TYPES,
    WHOLE_DIGITS,
    is_text,
    type_of,
)

# Whatever the server's own mode: nothing is cut off or rounded to fit, and names stand in
# double quotes, as they do in SQL.
_MODE: Final = (
    "ANSI_QUOTES,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
)
_SESSION: Final = (
    "SET time_zone = '+00:00', innodb_lock_wait_timeout = 30, lock_wait_timeout = 30, "
    "sql_safe_updates = 0"
)
_QUEUE: Final = "CONCAT('astrio:', LEFT(SHA1(DATABASE()), 20))"
_LOCK_SECONDS: Final = 30
_BESIDE: Final = 50_000
_TOO_MANY: Final[int] = 10**WHOLE_DIGITS


class MysqlDialect(Dialect):
    """MySQL and MariaDB; tables are those of the URL's database, kept by InnoDB."""

    types: ClassVar = TYPES
    native = frozenset({bool, int, float, str, Decimal, date, datetime})
    nan = False
    driver_errors = (pymysql.MySQLError,)
    concurrent = True
    longest_name = 64
    undoes_changes = False
    partial_indexes = False

    def engine(self, url: URL) -> Engine:
        """Return an engine whose statements see what is committed, and lock no gaps."""
        if not url.database:
            raise ConfigurationError(
                "The database URL names no database.",
                advice="Write its name at the end: mysql://user@host/NAME.",
            )
        query = {name: value for name, value in url.query.items() if name != "charset"}
        own = {"connect_timeout": 10, "charset": "utf8mb4"}
        return create_engine(
            url.set(drivername="mysql+pymysql", query=query),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={
                **{name: value for name, value in own.items() if name not in query},
                "sql_mode": _MODE,
                "init_command": _SESSION,
                "conv": {**converters.conversions, datetime: _in_utc},
            },
        )

    def exists(self, url: URL) -> bool:  # noqa: ARG002 (it cannot be told from the URL)
        """Leave the question to the first connection."""
        return True

    def reference(self, url: URL) -> str:
        """Return server and database."""
        host = url.host or url.query.get("unix_socket") or "localhost"
        known = URL.create("mysql", host=str(host), port=url.port or 3306, database=url.database)
        return str(known)

    def stored(self, kind: Kind) -> Kind:
        """Return the kind itself: there is a type for each."""
        return Kind.INT if kind is Kind.LONG else kind

    def holds(self, column: Values) -> bool:
        """Whether the decimals have no more digits than a DECIMAL of 65 keeps."""
        return column.kind is not Kind.NUMERIC or all(map(_is_exact, column.values))

    def column_type(self, connection: Connection, kind: Kind, keys: int = 0) -> str:
        """Return the type; texts are compared by their bytes, and have a length in a key."""
        return type_of(connection, self.stored(kind), keys)

    def made_of(self, connection: Connection) -> str:  # noqa: ARG002 (as its base)
        """Return the engine that knows transactions."""
        return " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4"

    def longest_value(self, connection: Connection) -> int | None:
        """Return what a packet takes beside the rest of a row."""
        return int(run(connection, "SELECT @@max_allowed_packet").scalar_one()) - _BESIDE

    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Read names, types and unique keys by SHOW."""
        return mysql_catalogue.describe(connection, table)

    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Change the columns' types, one after the other."""
        stored = {name: self.stored(kind) for name, kind in kinds.items()}
        mysql_retype.retype(connection, relation, stored)

    def make_distinct(
        self, connection: Connection, relation: Relation, key: Sequence[str], index: str
    ) -> None:
        """Create a unique index; texts get the length that an index takes."""
        mysql_retype.make_distinct(connection, relation, key, index)

    def index_key(
        self, connection: Connection, relation: Relation, key: Sequence[str], index: str
    ) -> None:
        """Create an index on the beginning of the key's texts."""
        mysql_retype.index_key(connection, relation, key, index)

    def clone(self, connection: Connection, relation: Relation, name: str) -> None:
        """Create an empty table that is like the other."""
        run(connection, f"CREATE TABLE {quoted(name)} LIKE {quoted(relation.name)}")

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """Let one connection at a time make the state tables; what is made is committed."""
        waited = connection.exec_driver_sql(f"SELECT GET_LOCK({_QUEUE}, {_LOCK_SECONDS})")
        if waited.scalar() != 1:
            raise LockedError(
                "Another run has been making astrio's state tables for too long.",
                advice="See what that run waits for: SHOW PROCESSLIST.",
            )
        try:
            yield
            run(connection, "COMMIT")
        finally:
            run(connection, f"DO RELEASE_LOCK({_QUEUE})")

    def complete(self, connection: Connection) -> None:
        """Let the quarantine have one open row for each identity, without a partial index."""
        mysql_catalogue.complete(connection)

    def shadow(self, connection: Connection, table: str, stream: str | None = None) -> None:
        """Let a temporary table of the same name stand before it."""
        mysql_shadow.shadow(connection, table, stream)

    def unheeded(self, connection: Connection, table: str) -> str | None:
        """Tell triggers and foreign keys."""
        return mysql_shadow.unheeded(connection, table)

    def swap(self, connection: Connection, staging: Relation, table: str) -> None:
        """Write what differs, and delete what is gone; triggers fire and foreign keys act."""
        relation = self.describe(connection, table)
        if relation is None:
            run(connection, f"RENAME TABLE {quoted(staging.name)} TO {quoted(table)}")
        else:
            swap(connection, staging, relation)

    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert the rows into a temporary table, and merge them by their key."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, pymysql.Connection)
        mysql_shadow.require_own(connection, target.table)
        with driver.cursor() as cursor:
            return load(cursor, target, rows)

    def parameter(self, declared: str) -> str:  # noqa: ARG002 (as its base)
        """Return the driver's mark."""
        return "%s"

    def ordered(self, column: ColumnElement[Any], held: Held) -> ColumnElement[Any]:
        """Compare texts by their bytes, which is by code point, whatever the collation."""
        text = is_text(held.declared) or held.kind in {Kind.JSON, Kind.ANY}
        return cast(column, LargeBinary) if text else column

    def among(self, values: str) -> str:
        """Return a list, which needs no VALUES before it."""
        return f"({values})"

    def upsert(
        self,
        table: Table,
        same: Sequence[Column[Any]],
        new: Sequence[str] = (),
        *,
        also: Mapping[str, Any] | None = None,
        among: TextClause | None = None,  # noqa: ARG002 (`complete` has seen to it)
    ) -> Insert:
        """Return an INSERT … ON DUPLICATE KEY UPDATE; state tables have one unique key each."""
        insert = mysql.insert(table)
        changes: dict[str, Any] = {name: insert.inserted[name] for name in new}
        changes |= also or {}
        return insert.on_duplicate_key_update(changes or {same[0].name: same[0]})

    def work_in(self, connection: Connection, schema: str, *, create: bool) -> None:  # noqa: ARG002 (as its base)
        """Refuse: what only the ledger uses is kept in SQLite or PostgreSQL."""
        raise _no_ledger()

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:  # noqa: ARG002 (as its base)
        """Refuse, as `work_in`."""
        raise _no_ledger()

    def refusal(self, error: Exception) -> str | None:
        """Tell a row's fault from the database's."""
        return refusal(error)

    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Say what the error's number means."""
        return explain(error, reference)


def _no_ledger() -> ConfigurationError:
    return ConfigurationError(
        "The ledger cannot be kept in MySQL or MariaDB.",
        advice="Name a SQLite file or a PostgreSQL database in ASTRIO_LEDGER_URL.",
    )


def _in_utc(value: datetime, mapping: Any = None) -> str:
    """Return a moment as the driver writes it: in UTC, as the columns know no zone."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return converters.escape_datetime(value, mapping)


def _is_exact(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) < _TOO_MANY
    if not isinstance(value, Decimal):
        return True
    exponent = value.as_tuple().exponent
    if isinstance(exponent, str) or exponent < -FRACTION_DIGITS:
        return False
    return abs(value) < _TOO_MANY


dialect = MysqlDialect()
