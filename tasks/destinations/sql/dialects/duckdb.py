"""DuckDB 2 files: rows go in as Arrow's tables, and one statement merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import URL, Connection, Engine, Table, create_engine
from sqlalchemy.dialects import postgresql

from astrio.blocks.errors import AstrioError, ConfigurationError, DestinationError
from astrio.tasks.destinations.sql.dialect import Dialect, Relation, Target
from astrio.tasks.destinations.sql.kinds import Kind

try:
    import duckdb
    import pyarrow  # noqa: F401 (rows are handed over in its tables)
except ImportError:
    raise ConfigurationError(
        "Writing to DuckDB needs its driver, duckdb, and pyarrow.",
        advice="Install them: pip install 'astrio[duckdb]'",
    ) from None

from astrio.tasks.destinations.sql.duckdb_alchemy import DRIVER
from astrio.tasks.destinations.sql.duckdb_driver import JournaledConnection
from astrio.tasks.destinations.sql.duckdb_errors import explain, refusal
from astrio.tasks.destinations.sql.duckdb_load import load
from astrio.tasks.destinations.sql.duckdb_tables import clone, describe, retype, swap
from astrio.tasks.destinations.sql.duckdb_trial import refused
from astrio.tasks.destinations.sql.duckdb_types import TYPES

_MAGIC: Final = slice(8, 12)


class DuckdbDialect(Dialect):
    """DuckDB files, which one process at a time may have; within it, several connections may."""

    types: ClassVar = TYPES
    native = frozenset({bool, int, float, str, date, datetime})
    nan = True
    driver_errors = (duckdb.Error,)
    concurrent = False
    partial_indexes = False

    def engine(self, url: URL) -> Engine:
        """Return an engine with one connection at a time."""
        return _engine(url, read_only=False)

    def reader(self, url: URL) -> Engine:
        """Return an engine that only reads, beside other readers."""
        return _engine(url, read_only=self.exists(url))

    def exists(self, url: URL) -> bool:
        """Whether the file is there."""
        return _file(url).is_file()

    def reference(self, url: URL) -> str:
        """Return the file's absolute path."""
        return str(_file(url))

    def stored(self, kind: Kind) -> Kind:
        """Return the kind itself, or TEXT for what DuckDB has no exact type for."""
        if kind is Kind.LONG:
            return Kind.INT
        return kind if kind in self.types else Kind.TEXT

    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Read names, types and unique keys from the catalogue."""
        return describe(connection, table)

    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Change the columns' types; texts are as `as_text` makes them."""
        retype(connection, relation, kinds)

    def clone(self, connection: Connection, relation: Relation, name: str) -> None:
        """Create an empty table by the other's definition."""
        clone(connection, relation, name)

    def swap(self, connection: Connection, staging: Relation, table: str) -> None:
        """Write what differs, and delete what is gone."""
        swap(connection, staging, describe(connection, table), table)

    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """Hand the rows over, and merge them by their key."""
        return load(_driver(connection), target, rows)

    def foresee(
        self,
        connection: Connection,
        target: Target,
        rows: Sequence[tuple[Any, ...]],
        *,
        met: bool,
    ) -> dict[int, str]:
        """Try the rows out, if any has been refused before: going back costs a long transaction."""
        suspects = _driver(connection).suspects
        if met:
            if target.table in suspects:
                return {}  # they were tried just before
            suspects.add(target.table)
        return refused(connection, target, rows) if target.table in suspects else {}

    def parameter(self, declared: str) -> str:
        """Cast the value as storing it would."""
        return f"CAST(? AS {declared})"

    def insert(self, table: Table) -> postgresql.Insert:
        """Return PostgreSQL's INSERT, which is DuckDB's too."""
        return postgresql.insert(table)

    def refusal(self, error: Exception) -> str | None:
        """Tell a row's fault from the database's."""
        return refusal(error)

    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Say what DuckDB's words mean."""
        return explain(error, reference)


def _driver(connection: Connection) -> JournaledConnection:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, JournaledConnection)
    return driver


def _engine(url: URL, *, read_only: bool) -> Engine:
    path = _file(url)
    _check(path)
    return create_engine(
        URL.create(DRIVER, database=str(path), query=url.query),
        connect_args={"read_only": read_only},
        hide_parameters=True,
    )


def _check(path: Path) -> None:
    """Refuse what DuckDB would not take, or would load an extension from the network for.

    Raises:
        DestinationError: there can be no database there.
    """
    if path.is_dir():
        raise DestinationError(
            f"The database {path} is a folder.", advice="Name a file in it in push.to.url."
        )
    if not path.parent.is_dir():
        raise DestinationError(
            f"The folder of the database {path} does not exist.",
            advice=f"Create it first: mkdir -p {path.parent}",
        )
    try:
        with path.open("rb") as file:
            known = file.read(_MAGIC.stop)[_MAGIC] == b"DUCK"
    except OSError:  # it will be created; or DuckDB tells why it cannot be opened
        return
    if not known:
        raise DestinationError(
            f"The database {path} is not a DuckDB database.",
            advice="Name another file in push.to.url.",
        )


def _file(url: URL) -> Path:
    database = url.database or ""
    if not database or database.startswith(":memory:"):
        raise ConfigurationError(
            "A database in memory is gone when the process ends.",
            advice='Name a file, e.g. "duckdb:///shop.duckdb".',
        )
    return Path(database).absolute()


dialect = DuckdbDialect()
