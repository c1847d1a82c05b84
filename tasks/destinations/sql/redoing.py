"""The transactions of a SQL destination, and doing a step again that one has rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import Transaction
from sqlalchemy.exc import SQLAlchemyError

from astrio.blocks.errors import AstrioError, DestinationError
from astrio.tasks.batch import Reject
from astrio.tasks.destinations.sql.again import MOST_DEADLOCKS
from astrio.tasks.destinations.sql.changing import TableChange
from astrio.tasks.destinations.sql.database import Database, savepoint, transaction
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.families import named
from astrio.tasks.destinations.sql.journal import Journal
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.destinations.sql.locked import DeadlockError
from astrio.tasks.destinations.sql.quarantining import Quarantining
from astrio.tasks.destinations.sql.staging import Staging
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.vanishing import Vanishing
from astrio.tasks.destinations.sql.writer import Writer
from astrio.tasks.report import TableChanges

DEADLOCK_SECONDS: Final = 0.1

_Done = TypeVar("_Done")


class Redoing:
    """A destination whose steps may have to be done again.

    That is: in a database that commits a table's change by itself; or where parts write the same
    rows at once, and the database ends one of two transactions that wait for one another.
    """

    _connection: Connection
    _database: Database
    _dialect: Dialect
    _stream: Stream
    _lease: Lease
    _writer: Writer
    _vanishing: Vanishing
    _staging: Staging
    _rejects: Quarantining
    _pause: Callable[[float], None]
    _slice: Transaction | None = None
    _journal: Journal | None = None

    @property
    def renews_apart(self) -> bool:
        """Whether `renew` may be called from another thread while another call is at work."""
        return self._dialect.concurrent

    def renew(self) -> None:
        """Extend the lease: on a connection of its own, where the database lets two write at once.

        Where it does not, an atomic slice needs no renewal: nobody else can write meanwhile.
        """
        with self._database.explained():
            if self._dialect.concurrent:
                with self._database.connect() as other, transaction(other) as connection:
                    self._lease.extend(connection)
            elif self._slice is None:
                with self._transaction() as connection:
                    self._lease.extend(connection)

    def _transaction(self, begun: Transaction | None = None) -> AbstractContextManager[Connection]:
        return transaction(self._connection, begun)

    def _begin_whole(self) -> Transaction:
        return self._connection.begin()

    @contextmanager
    def _chunk(self) -> Iterator[Connection]:
        of_its_own = self._slice is None
        with self._transaction() if of_its_own else savepoint(self._connection):
            yield self._connection

    @contextmanager
    def _ending(self) -> Iterator[Connection]:
        begun, self._slice = self._slice, None
        with self._transaction(begun) as connection:
            yield connection

    def _has_table(self, connection: Connection) -> bool:
        return self._dialect.describe(connection, self._stream.table) is not None

    def _tidy(self) -> None:
        with suppress(AstrioError), self._database.explained(), self._transaction() as connection:
            self._vanishing.clean(connection)
            self._staging.tidy(connection)

    def _until_done(self, step: Callable[[TableChanges], _Done]) -> _Done:
        """Do a step; do it again after a change of the table that must come first.

        Raises:
            DestinationError: the table has been changed, and does not fit all the same.
        """
        changes, made, ended = TableChanges(), list[Any](), 0
        kept = self._slice is None or self._journal is not None
        fields, why_not = self._writer.fields, self._vanishing.why_not
        while True:
            try:
                with self._database.explained():
                    if self._journal is not None and self._slice is None:
                        self._write_again(self._journal)
                    return step(changes)
            except TableChange as due:
                if due.what in made:
                    raise DestinationError(
                        f"The table {self._stream.table} has been changed, and does not fit.",
                        advice="See whether somebody else changes it at the same time.",
                    ) from None
                made.append(due.what)
                self._roll_slice_back()
                changes = changes.plus(self._change(due))
            except DeadlockError:
                ended += 1
                if ended > MOST_DEADLOCKS or not kept:
                    raise
                with suppress(SQLAlchemyError):
                    self._roll_slice_back()
                self._pause(ended * DEADLOCK_SECONDS)
            self._writer.fields, self._vanishing.why_not = fields, why_not

    def _change(self, due: TableChange) -> TableChanges:
        with self._database.explained(), self._transaction() as connection:
            self._lease.extend(connection)
            made = due.make(connection)
        its_own = due.table in (self._stream.table, self._staging.name)
        return made if its_own else named(due.table, made)

    def _write_again(self, journal: Journal) -> None:
        self._slice = self._begin_whole()
        self._writer.fields, fields = journal.fields, self._writer.fields
        connection = self._connection
        journal.again(lambda batches: self._writer.write(connection, batches, set())[0])
        self._writer.fields = fields

    def _roll_slice_back(self) -> None:
        if self._slice is not None:
            begun, self._slice = self._slice, None
            begun.rollback()

    def _forget_slice(self) -> list[Reject]:
        """Forget what was kept of the slice, and return the rejects that it would lose."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        return self._rejects.forget()

    @property
    def _commits_changes(self) -> bool:
        return not self._dialect.undoes_changes
