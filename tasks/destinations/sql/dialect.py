"""What differs between databases: one module of `dialects` for each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from astrio.blocks.errors import AstrioError, ConfigurationError, DestinationBusyError
from astrio.tasks.destinations.sql import dialects
from astrio.tasks.destinations.sql.kinds import Kind


class LockedError(DestinationBusyError):
    """Another process is writing; waiting helps, where it would not on a full disk."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a table's columns; rows are told apart by `key` (empty: always inserted)."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A column as the table has it: its name and the kind it is able to hold."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as it stands in the database.

    Attributes:
        columns: its columns by lower-case name, in order.
        unique: sets of lower-case names that a primary key or a unique index keeps distinct.
    """

    name: str
    is_view: bool
    columns: Mapping[str, Held]
    unique: Sequence[frozenset[str | None]] = field(default=())


class Dialect(ABC):
    """A database that rows can be pushed to.

    To add one, write a module in `dialects`, named as SQLAlchemy names the backend, that holds an
    instance called `dialect`, and let its test inherit `tests/contracts/destination.py`.

    Attributes:
        types: the name of the column type for each kind that `stored` returns.
        native: the Python types that the driver takes; values of others become text.
        nan: whether a column can hold a float that is not a number.
        driver_errors: base classes of what the driver raises by itself.
        concurrent: another connection may write while a transaction is open.
    """

    types: ClassVar[Mapping[Kind, str]]
    native: ClassVar[frozenset[type]]
    nan: ClassVar[bool]
    driver_errors: ClassVar[tuple[type[Exception], ...]]
    concurrent: ClassVar[bool]

    @abstractmethod
    def engine(self, url: URL) -> Engine:
        """Return an engine; its transactions begin as the execution option `begin` says.

        Raises:
            DestinationError: the database cannot exist.
        """

    @abstractmethod
    def exists(self, url: URL) -> bool:
        """Whether there is a database to read, without creating one."""

    @abstractmethod
    def reference(self, url: URL) -> str:
        """Return what identifies the database to people and in the ledger, without secrets."""

    @abstractmethod
    def stored(self, kind: Kind) -> Kind:
        """Return the kind of column that values of `kind` are put into."""

    @abstractmethod
    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Return the table or view of that name, compared without regard to case."""

    @abstractmethod
    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Change the kinds of columns (by real name), keeping values, keys, indexes, triggers."""

    @abstractmethod
    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows, or update those whose key exists and whose values differ; count both."""

    @abstractmethod
    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT into a state table that knows ON CONFLICT."""

    @abstractmethod
    def refusal(self, error: Exception) -> str | None:
        """Return the database's words, without values, if `error` is about the rows themselves."""

    @abstractmethod
    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Return what an error of the driver or of SQLAlchemy means."""


def dialect_of(url: URL) -> Dialect:
    """Return the dialect of a database URL.

    Raises:
        ConfigurationError: there is none for this database.
    """
    backend = url.get_backend_name()
    known = sorted(info.name for info in pkgutil.iter_modules(dialects.__path__))
    if backend not in known:
        raise ConfigurationError(
            f"astrio knows no way to write to {backend} yet.",
            advice=f"Use a database URL of: {', '.join(known)}.",
        )
    found = importlib.import_module(f"{dialects.__name__}.{backend}").dialect
    assert isinstance(found, Dialect)
    return found


def quoted(name: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
