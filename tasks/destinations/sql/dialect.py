"""What differs between databases: one module of `dialects` for each, found by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import URL, Column, ColumnElement, Connection, CursorResult, Engine, Insert, Table
from sqlalchemy.sql.elements import TextClause

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.values import Column as Values

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a table's columns; rows are told apart by `key` (empty: always inserted).

    Attributes:
        declared: the columns' types as the database calls them, one for each of `columns`.
        version: the column that says which of two rows with the same key is newer: a row that
            has a lower version than the one there, or none, changes nothing. Empty: the last wins.
        fresh: this run has made the table, so that most keys are new to it. A hint: rows may be
            inserted without looking for their keys first, if it is seen when one is there.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    version: str = ""
    fresh: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A column as the table has it: its name and the kind it is able to hold.

    Attributes:
        declared: its type as the database calls it, for messages and casts.
        takes: further kinds that it holds as it is.
        fixed: it is of a type that only users make, so astrio never changes it.
        generated: only the database fills it.
    """

    name: str
    kind: Kind
    declared: str = ""
    takes: frozenset[Kind] = frozenset()
    fixed: bool = False
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as it stands in the database.

    Attributes:
        columns: its columns by lower-case name, in order.
        unique: sets of lower-case names that a primary key or a unique index keeps distinct.
        required: lower-case names of the columns that every row must bring a value for: they are
            NOT NULL, and the database fills in nothing by itself.
    """

    name: str
    is_view: bool
    columns: Mapping[str, Held]
    unique: Sequence[frozenset[str | None]] = field(default=())
    required: frozenset[str] = frozenset()


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
        longest_name: the most bytes of a column's name.
        partial_indexes: a unique index may hold for some of the rows only.
        undoes_changes: a rollback undoes changes of tables, too; else each of them commits.
    """

    types: ClassVar[Mapping[Kind, str]]
    native: ClassVar[frozenset[type]]
    nan: ClassVar[bool]
    driver_errors: ClassVar[tuple[type[Exception], ...]]
    concurrent: ClassVar[bool]
    longest_name: ClassVar[int] = 1000
    partial_indexes: ClassVar[bool] = True
    undoes_changes: ClassVar[bool] = True

    @abstractmethod
    def engine(self, url: URL) -> Engine:
        """Return an engine; its transactions begin as the execution option `begin` says.

        Raises:
            DestinationError: the database cannot exist.
        """

    def reader(self, url: URL) -> Engine:
        """Return an engine whose transactions keep no writer waiting."""
        return self.engine(url).execution_options(begin="BEGIN")

    @abstractmethod
    def exists(self, url: URL) -> bool:
        """Whether there is a database to read, without creating one."""

    @abstractmethod
    def reference(self, url: URL) -> str:
        """Return what identifies the database to people and in the ledger, without secrets."""

    @abstractmethod
    def stored(self, kind: Kind) -> Kind:
        """Return the kind of column that values of `kind` are put into."""

    def holds(self, column: Values) -> bool:  # noqa: ARG002 (most hold all)
        """Whether a column of its kind holds all values exactly; a text always does."""
        return True

    def column_type(self, connection: Connection, kind: Kind, keys: int = 0) -> str:  # noqa: ARG002 (most need only the kind)
        """Return the type of a new column, as a part of a key of so many columns, or of none."""
        return self.types[self.stored(kind)]

    def made_of(self, connection: Connection) -> str:  # noqa: ARG002 (most say nothing)
        """Return what a CREATE TABLE ends with."""
        return ""

    def longest_value(self, connection: Connection) -> int | None:  # noqa: ARG002 (most have none)
        """Return the most bytes of a value that is sent, None if there is no such bound."""
        return None

    @abstractmethod
    def describe(self, connection: Connection, table: str) -> Relation | None:
        """Return the table or view of that name, compared without regard to case."""

    @abstractmethod
    def retype(self, connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
        """Change the kinds of columns (by real name), keeping values, keys, indexes, triggers."""

    def make_distinct(
        self, connection: Connection, relation: Relation, key: Sequence[str], index: str
    ) -> None:
        """Create a unique index of that name on the key's columns.

        Raises:
            IntegrityError: rows are not distinct by them.
        """
        columns, table = ", ".join(map(quoted, key)), quoted(relation.name)
        run(connection, f"CREATE UNIQUE INDEX {quoted(index)} ON {table} ({columns})")

    def index_key(  # noqa: B027 (most have a partial index, or need none)
        self, connection: Connection, relation: Relation, key: Sequence[str], index: str
    ) -> None:
        """Make the versions of a key quick to find, where no unique index does."""

    def clone(self, connection: Connection, relation: Relation, name: str) -> None:
        """Create an empty table with all that refuses rows, but for foreign keys and triggers."""
        run(connection, f"CREATE TABLE {quoted(name)} (LIKE {quoted(relation.name)} INCLUDING ALL)")

    def queue(self, connection: Connection) -> None:  # noqa: B027 (most have nothing to do)
        """Let one transaction at a time go on from here, where several may write at once."""

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """Let one transaction at a time make the state tables."""
        self.queue(connection)
        yield

    def complete(self, connection: Connection) -> None:  # noqa: B027 (most have nothing to do)
        """Add to the state tables what only this database needs."""

    def work_in(self, connection: Connection, schema: str, *, create: bool) -> None:  # noqa: B027 (as above)
        """Let the caller's transaction use the tables of a schema, where there are schemas."""

    def shadow(self, connection: Connection, table: str, stream: str | None = None) -> None:
        """Let a copy stand before a table, if there is one, for this session alone.

        It has the rows of one stream, or all; needed where `undoes_changes` is false.
        """
        raise NotImplementedError

    def unheeded(self, connection: Connection, table: str) -> str | None:  # noqa: ARG002 (as above)
        """Return what of the table its `shadow` has not, in a sentence."""
        return None

    @abstractmethod
    def swap(self, connection: Connection, staging: Relation, table: str) -> None:
        """Let the rows of `staging` take the place of those of `table`, which may not exist yet.

        Works within the caller's transaction; `staging` is gone afterwards. What users built on
        the table stays: views, grants, indexes, triggers, foreign keys, columns that `staging`
        lacks. The caller has fitted the table to the columns of `staging` before (`Schema.fit`):
        if it exists, it has them all, of kinds at least as wide; afterwards the caller sees to
        the key's unique index.

        Raises:
            DestinationError: a column that `staging` lacks must have a value.
        """

    @abstractmethod
    def put(self, connection: Connection, target: Target, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows, or update those whose key exists and whose values differ; count both."""

    def foresee(
        self,
        connection: Connection,  # noqa: ARG002 (most cannot tell)
        target: Target,  # noqa: ARG002 (as above)
        rows: Sequence[tuple[Any, ...]],  # noqa: ARG002 (as above)
        *,
        met: bool,  # noqa: ARG002 (as above)
    ) -> dict[int, str]:
        """Return the places of rows that would be refused, with the database's words.

        A dialect that finds none is not believed: the rows are put, and halved if need be.

        Args:
            connection: in a transaction, which stays as it is.
            target: where the rows are to go.
            rows: in their order.
            met: whether some of them have been refused just now.
        """
        return {}

    def parameter(self, declared: str) -> str:  # noqa: ARG002 (most need not know)
        """Return what stands for a value that is compared with a column of that type."""
        return "?"

    def ordered(self, column: ColumnElement[Any], held: Held) -> ColumnElement[Any]:  # noqa: ARG002 (most compare texts so)
        """Return the column as its values are compared: texts by code point."""
        return column

    def empty(self, connection: Connection, table: str) -> None:
        """Delete all rows of a temporary table."""
        run(connection, f"DELETE FROM {quoted(table)}")  # noqa: S608 (the name is quoted)

    def among(self, values: str) -> str:
        """Return what stands after IN for a list of rows."""
        return f"(VALUES {values})"

    def check_deferred(self, connection: Connection) -> None:  # noqa: B027 (most have none)
        """Raise what a commit would, where constraints are checked only then."""

    def upsert(
        self,
        table: Table,
        same: Sequence[Column[Any]],
        new: Sequence[str] = (),
        *,
        also: Mapping[str, Any] | None = None,
        among: TextClause | None = None,
    ) -> Insert:
        """Return an INSERT into a state table that changes the row there is, if there is one.

        Args:
            table: the state table.
            same: the columns by which rows are told apart, which a unique index keeps so.
            new: the columns that get the new row's values; without any, the old row stays.
            also: what others get.
            among: the condition of the unique index, if it is a partial one.
        """
        insert = self.insert(table)
        changes = {name: insert.excluded[name] for name in new} | dict(also or {})
        if not changes:
            return insert.on_conflict_do_nothing(index_elements=same, index_where=among)
        return insert.on_conflict_do_update(index_elements=same, index_where=among, set_=changes)

    @abstractmethod
    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that knows ON CONFLICT."""

    @abstractmethod
    def refusal(self, error: Exception) -> str | None:
        """Return the database's words, without values, if `error` is about the rows themselves."""

    @abstractmethod
    def explain(self, error: Exception, reference: str) -> AstrioError:
        """Return what an error of the driver or of SQLAlchemy means."""


def run(connection: Connection, statement: str) -> CursorResult[Any]:
    """Execute a statement as it is: a percent sign in a name stands for itself."""
    return connection.exec_driver_sql(statement, None, {"no_parameters": True})


def quoted(name: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
