"""A database by its URL: connecting, transactions, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection
from sqlalchemy.engine import Transaction, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import SENSITIVE_NAME
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import resolve
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.destinations.sql.choosing import dialect_of

_DEPTH: Final = "astrio_savepoints"


class Database:
    """One database; nothing is opened, and no file created, before `connect` or `reading`."""

    def __init__(self, url: str | URL, *, password: str = "", named: str = "push.to.url") -> None:
        """Resolve the references in `url`, which the user knows by the name `named`.

        Args:
            url: where the database is.
            password: put into the URL, unless it is a file's, which has no place for one.
            named: what messages call the URL.

        Raises:
            ConfigurationError: a variable is not set, or this is no URL of a known database.
        """
        try:
            self._url = make_url(resolve(url) if isinstance(url, str) else url)
            if password and self._url.get_backend_name() not in ("sqlite", "duckdb"):
                self._url = self._url.set(password=resolve(password))
        except (ArgumentError, ValueError):
            raise ConfigurationError(
                f"{named} is no database URL.", advice='Write e.g. "sqlite:///orders.db".'
            ) from None
        _remember_secrets(self._url)
        self.dialect = dialect_of(self._url)
        self.reference = self.dialect.reference(self._url)

    @classmethod
    def of(cls, target: SqlTarget) -> Database:
        """Return the database of a `push.to`; raises as the constructor."""
        return cls(target.url, password=target.password, named=target.named)

    @property
    def backend(self) -> str:
        """What kind of database it is, as its URL says it: `sqlite`, say."""
        return self._url.get_backend_name()

    def exists(self) -> bool:
        """Whether there is a database to read, without creating one."""
        return self.dialect.exists(self._url)

    def elsewhere(self, path: Path) -> Database:
        """Return a database in another file, of which messages speak as of this one.

        Raises:
            AstrioError: this one cannot be created where it is to be.
        """
        self.dialect.engine(self._url)
        other = copy(self)
        if self._url.query.get("mode", "rwc") == "rwc":
            other._url = self._url.set(database=str(path), query={})
        return other

    def connect(self) -> Connection:
        """Open a connection whose transactions take the right to write when they begin."""
        return self.dialect.engine(self._url).connect()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection whose single transaction keeps no writer waiting."""
        with self.explained(), self.dialect.reader(self._url).connect() as connection:
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn every error of the driver or of SQLAlchemy into one of astrio's.

        Raises:
            DestinationBusyError: the database is locked, full or cannot be reached.
            DestinationError: it refuses what is asked of it.
        """
        try:
            yield
        except Exception as error:
            if not isinstance(error, (SQLAlchemyError, *self.dialect.driver_errors)):
                raise
            raise self.dialect.explain(error, self.reference) from error


def _remember_secrets(url: URL) -> None:
    """Let no message of a driver show what the URL lets in with."""
    remember(str(url.password or ""))
    for name, value in url.query.items():
        if SENSITIVE_NAME.search(name):
            remember(str(value))


@contextmanager
def transaction(connection: Connection, begun: Transaction | None = None) -> Iterator[Connection]:
    """Make all that the block does durable, or nothing; `begun` is a transaction to go on with.

    Unlike SQLAlchemy's own, this one leaves no transaction open in the driver when it is the
    commit itself that fails (a reader makes SQLite refuse it).
    """
    begun = begun or connection.begin()
    try:
        yield connection
        begun.commit()
    except BaseException:
        with suppress(SQLAlchemyError):
            begun.rollback()
            connection.connection.rollback()
        raise


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Undo what the block did if it fails, and nothing else.

    Unlike SQLAlchemy's nested transaction, the block's own error is raised even when the
    database has already rolled back the whole transaction (a full disk makes SQLite do so).
    """
    # MySQL forgets a savepoint whose name is given again, so each within another has its own.
    dialect, depth = connection.dialect, connection.info.get(_DEPTH, 0)
    name = f"_astrio_{depth}"
    dialect.do_savepoint(connection, name)
    connection.info[_DEPTH] = depth + 1
    try:
        yield
    except BaseException:
        with suppress(SQLAlchemyError):
            dialect.do_rollback_to_savepoint(connection, name)
            dialect.do_release_savepoint(connection, name)
        raise
    finally:
        connection.info[_DEPTH] = depth
    dialect.do_release_savepoint(connection, name)
