"""The SQL destination of a dry run: all that a run does, in one transaction that is rolled back.

What would be a transaction of its own in a run is a savepoint here, so that each fails, and is
undone, as in the run. The database is never asked to commit: whatever ends the process, nothing
of it stays.

Where a change of a table cannot be rolled back, all is done to temporary copies of the tables, in
transactions as the run's own; they are gone with the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Transaction
from sqlalchemy.exc import SQLAlchemyError

from astrio.blocks.errors import DestinationError
from astrio.tasks.destinations.base import Chunk, StreamState, Written
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import tables
from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.dry.copying import copy_into
from astrio.tasks.destinations.sql.dry.staging import ComparedStaging
from astrio.tasks.destinations.sql.dry.unkept import Unkept
from astrio.tasks.destinations.sql.dry.watching import Watch, WatchedWriter
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.destinations.sql.quarantining import MOST_REJECTS
from astrio.tasks.difference import ChangedRow
from astrio.tasks.report import RunReport


class DryRun(SqlDestination):
    """One stream's table in a SQL database, which stays as it is."""

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        *,
        examples: list[ChangedRow],
        apart: bool = False,
        **how: Any,
    ) -> None:
        """Take what `SqlDestination` takes, and a list that gets the first changed rows.

        With `apart` it works on a copy of the database, which takes one writer at a time.
        """
        super().__init__(push, integration, keeping, **how)
        self._examples = examples
        self._copies = apart
        self._watch = Watch(self._dialect, push)
        self._staging = ComparedStaging(self._dialect, self._stream, push.key, self._watch)
        table = self._staging.name if self._replaces else push.table
        self._writer = WatchedWriter(self._dialect, push, table, self._watch)
        self._rejects = Unkept(
            self._dialect,
            self._stream,
            keeping or QuarantineSettings(),
            staged=self._replaces,
            most=how.get("most_rejects", MOST_REJECTS),
        )
        self._named = self._database
        self._beside: Lease | None = None
        self._all: Transaction | None = None
        self._lost = False
        self._unheeded: str | None = None
        self._opened = ExitStack()

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:
        """Start a slice, or start it again."""
        self._watch.start_again()
        super().begin_slice(atomic=atomic, whole=whole)

    def commit(self, chunk: Chunk) -> Written:
        """Write a chunk, and count it."""
        written = super().commit(chunk)
        self._watch.count(chunk, written)
        return written

    def finish(self, report: RunReport, **how: Any) -> None:
        """End the slice, tell the difference, and roll back everything."""
        deleted = report.records.deleted
        super().finish(report, **how)
        self._watch.count_vanished(report.records.deleted - deleted)
        self._tell(report)

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:
        """Roll back as a failed run does; with its report, tell what it would have left."""
        if self._replaces or self._slice is not None:
            self._watch.start_again()
        super().abandon(report, clear_resume=clear_resume)
        if report is not None:
            self._tell(report)

    def renew(self) -> None:
        """Extend the lease that is held beside the transaction; without one, that is enough."""
        if self._beside is not None:
            with self._database.explained(), self._apart() as connection:
                self._beside.extend(connection)

    def close(self) -> None:
        """Roll back, release the lease and disconnect; never raises."""
        with suppress(Exception):
            self._roll_back()
        with suppress(Exception):
            self._opened.close()

    def _try_to_open(self) -> StreamState:
        lease = self._lease
        with ExitStack() as stack:
            self._database = self._standing_in(stack)
            self._hold(lease, stack)
            with self._database.explained():
                self._connection = stack.enter_context(self._database.connect())
                self._all, self._lost = self._begin_all(), False
                self._lease = _HeldBeside(lease) if self._beside else lease
                try:
                    with self._opening() as connection:
                        self._watch.begin(connection)
                        state = self._take(connection)
                except BaseException:
                    self._lease = lease
                    self._roll_back()
                    raise
            self._opened = stack.pop_all()
        return state

    def _begin_all(self) -> Transaction | None:
        """Begin what will be rolled back; or let copies stand for all tables, for this session."""
        if self._dialect.undoes_changes:
            return self._connection.begin()
        with transaction(self._connection) as connection:
            self._unheeded = self._dialect.unheeded(connection, self._stream.table)
            for table in tables.metadata.tables.values():
                mine = "stream" in table.columns and "table_name" not in table.columns
                self._dialect.shadow(connection, table.name, self._stream.id if mine else None)
            for name in (
                self._stream.table,
                *(each.table for each in self._push.children.values()),
            ):
                self._dialect.shadow(connection, name)
        return None

    def _opening(self) -> AbstractContextManager[Connection]:
        if self._dialect.undoes_changes:
            return nullcontext(self._connection)
        return transaction(self._connection)

    def _standing_in(self, stack: ExitStack) -> Database:
        """Return the database, or an empty one for the time being where a run would create it."""
        there = self._named.exists()
        if there and not self._copies:
            return self._named
        folder = stack.enter_context(TemporaryDirectory(prefix="astrio-"))
        other = self._named.elsewhere(Path(folder) / "dry-run.db")
        if there:
            with self._named.explained():
                copy_into(self._named.reference, str(Path(folder) / "dry-run.db"))
        return other

    def _hold(self, lease: Lease, stack: ExitStack) -> None:
        """Refuse to go on beside another run, and keep others from beginning.

        Where nobody else can write during the transaction, or nobody has run yet, the lease
        within the transaction is enough.
        """
        self._beside = None
        with self._database.reading() as connection:
            if not tables.are_ready(connection):
                return
            lease.check_free(connection)
        if self._dialect.concurrent:
            with self._database.explained(), self._apart() as connection:
                lease.take(connection, self._dialect)
            self._beside = lease
            stack.callback(self._give_back, lease)

    def _give_back(self, lease: Lease) -> None:
        with suppress(Exception), self._apart() as connection:
            lease.release(connection)

    @contextmanager
    def _apart(self) -> Iterator[Connection]:
        with self._database.connect() as other, transaction(other) as connection:
            yield connection

    def _transaction(self, begun: Transaction | None = None) -> AbstractContextManager[Connection]:
        if not self._dialect.undoes_changes:
            return transaction(self._connection, begun)
        return self._step(begun)

    def _begin_whole(self) -> Transaction:
        if not self._dialect.undoes_changes:
            return self._connection.begin()
        return self._connection.begin_nested()

    @contextmanager
    def _step(self, begun: Transaction | None) -> Iterator[Connection]:
        """Undo what the block did if it fails, as if it had been a transaction of its own."""
        if self._lost:
            raise DestinationError(
                "The database has ended the dry run's transaction.",
                advice="The run itself would fail at the same place: see the first error.",
            )
        begun = begun or self._connection.begin_nested()
        try:
            yield self._connection
            self._dialect.check_deferred(self._connection)
            begun.commit()
        except BaseException:
            try:
                begun.rollback()
            except SQLAlchemyError:
                self._lost = True  # from now on, the driver would commit each statement
            raise

    def _tell(self, report: RunReport) -> None:
        if self._unheeded:
            report.warnings.append(self._unheeded)
        with self._database.explained():
            report.difference = self._watch.difference(self._connection, report)
            after = self._watch.after(self._connection)
            self._roll_back()
        if after:
            with self._database.reading() as connection:
                self._examples += self._watch.examples(connection, after)

    def _roll_back(self) -> None:
        self._slice = None
        if self._all is not None:
            everything, self._all = self._all, None
            self._lost = True
            with suppress(SQLAlchemyError):
                everything.rollback()


class _HeldBeside(Lease):
    """The lease as the transaction sees it: its row must not be locked for so long."""

    def __init__(self, held: Lease) -> None:
        self.__dict__.update(held.__dict__)

    def take(self, connection: Connection, dialect: Dialect) -> None:
        """Do nothing: it is held already."""

    def extend(self, connection: Connection) -> None:
        """Do nothing: `renew` extends it."""

    def still_held(self, connection: Connection) -> bool:  # noqa: ARG002 (as its base)
        """Trust in `renew`: nothing is ever committed."""
        return True
