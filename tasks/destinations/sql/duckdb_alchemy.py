"""DuckDB for SQLAlchemy, as far as astrio's state tables need it.

DuckDB speaks PostgreSQL's SQL. The dialect packages that there are know neither DuckDB 2 nor that
a commit may be a rollback (`duckdb_driver`).
"""

from __future__ import annotations

from typing import Any, Final

import duckdb
from sqlalchemy import URL, Column, Connection, Table, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDDLCompiler, PGDialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import UserDefinedType

from astrio.tasks.destinations.sql.definitions import indexed_columns
from astrio.tasks.destinations.sql.duckdb_driver import JournaledConnection
from astrio.tasks.destinations.sql.duckdb_opening import opened

DRIVER: Final = "duckdb+astrio"
_BUSY_SECONDS: Final = 2.0
_LONGEST_LOG: Final = "256MB"
_HERE: Final = "database_name = current_database() AND schema_name = current_schema()"


class _Declared(UserDefinedType[Any]):
    """A column's type by DuckDB's name of it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the name."""
        return self.name


class _Compiler(PGCompiler):
    def for_update_clause(self, select: Select[Any], **kw: Any) -> str:  # noqa: ARG002 (as its base)
        """Lock nothing: DuckDB has no locks on rows."""
        return ""


class _DdlCompiler(PGDDLCompiler):
    def get_column_specification(self, column: Column[Any], **kwargs: Any) -> str:
        """Return a column's definition; one that counts by itself has a sequence."""
        if column is not column.table._autoincrement_column:
            return str(super().get_column_specification(column, **kwargs))  # type: ignore[no-untyped-call] # SQLAlchemy's own
        name = self.preparer.format_column(column)
        return f"{name} INTEGER DEFAULT nextval('{_sequence(column)}') NOT NULL"


class DuckdbAlchemy(PGDialect):
    """What SQLAlchemy asks of a dialect."""

    name = "duckdb"
    driver = "astrio"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = False
    supports_native_boolean = True
    use_insertmanyvalues = False
    statement_compiler = _Compiler
    ddl_compiler = _DdlCompiler

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver's module."""
        return duckdb

    @classmethod
    def get_pool_class(cls, url: URL) -> type[NullPool]:  # noqa: ARG003 (as its base)
        """Keep no connection open: it holds the file against other processes."""
        return NullPool

    def create_connect_args(self, url: URL) -> Any:
        """Return what `connect` takes: the URL's query are DuckDB's own settings, and `timeout`."""
        config = dict(url.query)
        patience = float(str(config.pop("timeout", _BUSY_SECONDS)))
        return [url.database], {"config": config, "patience": patience}

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """Connect; times are shown, and read, in UTC."""
        raw = opened(*cargs, **cparams)
        raw.execute("SET TimeZone = 'UTC'")
        if "checkpoint_threshold" not in cparams["config"]:
            # Rows spread over a large table fill the log quickly; DuckDB would rewrite the table
            # with nearly every commit.
            raw.execute(f"SET checkpoint_threshold = '{_LONGEST_LOG}'")
        return JournaledConnection(raw)

    def initialize(self, connection: Connection) -> None:
        """Ask nothing that only PostgreSQL could answer."""
        DefaultDialect.initialize(self, connection)

    def on_connect(self) -> None:
        """Do nothing more for each connection."""

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:  # noqa: ARG002 (as its base)
        return (15,)  # whose SQL it speaks

    def _get_default_schema_name(self, connection: Connection) -> str:  # noqa: ARG002 (as its base)
        return "main"

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:  # noqa: ARG002 (as its base)
        """Return the only one there is."""
        return "SERIALIZABLE"

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction."""
        dbapi_connection.begin()

    def do_savepoint(self, connection: Connection, name: str) -> None:
        """Remember this point of the transaction, which begins if there is none."""
        if not connection.in_transaction():
            connection.begin()
        _driver(connection).savepoint(name)

    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        """Undo what was done since the savepoint."""
        try:
            _driver(connection).rollback_to(name)
        except duckdb.Error as error:
            raise OperationalError("ROLLBACK TO SAVEPOINT", None, error) from error

    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        """Forget the savepoint."""
        _driver(connection).release(name)

    def has_table(
        self,
        connection: Connection,
        table_name: str,
        schema: str | None = None,  # noqa: ARG002 (as its base)
        **kw: Any,  # noqa: ARG002 (as its base)
    ) -> bool:
        """Whether there is such a table."""
        return table_name.lower() in map(str.lower, self.get_table_names(connection))

    def get_table_names(
        self,
        connection: Connection,
        schema: str | None = None,  # noqa: ARG002 (as its base)
        **kw: Any,  # noqa: ARG002 (as its base)
    ) -> list[str]:
        """Return the names of the tables."""
        query = f"SELECT table_name FROM duckdb_tables() WHERE {_HERE} ORDER BY table_oid"  # noqa: S608 (nothing comes from outside)
        return [str(name) for name in connection.exec_driver_sql(query).scalars()]

    def get_columns(
        self,
        connection: Connection,
        table_name: str,
        schema: str | None = None,  # noqa: ARG002 (as its base)
        **kw: Any,  # noqa: ARG002 (as its base)
    ) -> Any:
        """Return names and types of a table's columns."""
        query = (
            f"SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE {_HERE} "  # noqa: S608 (as above)
            "AND lower(table_name) = lower(?) ORDER BY column_index"
        )
        rows = connection.exec_driver_sql(query, (table_name,)).all()
        return [
            {"name": name, "type": _Declared(kind), "nullable": nullable, "default": None}
            for name, kind, nullable in rows
        ]

    def get_indexes(
        self,
        connection: Connection,
        table_name: str,
        schema: str | None = None,  # noqa: ARG002 (as its base)
        **kw: Any,  # noqa: ARG002 (as its base)
    ) -> Any:
        """Return a table's indexes."""
        query = (
            f"SELECT index_name, is_unique, sql FROM duckdb_indexes() WHERE {_HERE} "  # noqa: S608 (as above)
            "AND lower(table_name) = lower(?) ORDER BY index_oid"
        )
        rows = connection.exec_driver_sql(query, (table_name,)).all()
        return [
            {"name": name, "unique": unique, "column_names": indexed_columns(sql)}
            for name, unique, sql in rows
        ]

    def get_multi_indexes(
        self,
        connection: Connection,
        schema: str | None = None,  # noqa: ARG002 (as its base)
        filter_names: Any = None,
        scope: Any = None,  # noqa: ARG002 (as its base)
        kind: Any = None,  # noqa: ARG002 (as its base)
        **kw: Any,  # noqa: ARG002 (as its base)
    ) -> Any:
        """Return the indexes of several tables."""
        names = filter_names or self.get_table_names(connection)
        return [((None, name), self.get_indexes(connection, name)) for name in names]


def _driver(connection: Connection) -> JournaledConnection:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, JournaledConnection)
    return driver


def _sequence(column: Column[Any]) -> str:
    return f"{column.table.name}_{column.name}_seq"


def _make_sequence(table: Any, connection: Connection, **_: Any) -> None:
    column = table._autoincrement_column
    if connection.dialect.name == DuckdbAlchemy.name and column is not None:
        connection.exec_driver_sql(f"CREATE SEQUENCE IF NOT EXISTS {_sequence(column)}")


event.listen(Table, "before_create", _make_sequence)
registry.register("duckdb.astrio", __name__, DuckdbAlchemy.__name__)
