"""The SQL destination: rows and astrio's state commit together, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import sleep
from typing import Any

from sqlalchemy import Connection

from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.part import WHOLE, Part
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import (
    added_columns,
    changing,
    checkpoint,
    effects,
    moment,
    partitions,
    parts,
    profiles,
    tables,
)
from astrio.tasks.destinations.sql.again import once_free, stand_in_line, undeadlocked
from astrio.tasks.destinations.sql.column_writer import ColumnWriter
from astrio.tasks.destinations.sql.database import Database
from astrio.tasks.destinations.sql.journal import Journal, without_rows
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.destinations.sql.pages import Pages
from astrio.tasks.destinations.sql.quarantining import MOST_REJECTS, Quarantining
from astrio.tasks.destinations.sql.redoing import Redoing
from astrio.tasks.destinations.sql.staging import Staging
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.vanishing import Vanishing
from astrio.tasks.destinations.sql.writer import Writer
from astrio.tasks.destinations.vanishing import VanishedSettings
from astrio.tasks.report import RunReport, TableChanges


class SqlDestination(Redoing):
    """One stream's table in a SQL database (contract.md, *Commit, resume, watermark*)."""

    _run: RunIdentity
    _resumed = False

    def __init__(  # noqa: PLR0913 (what tests replace is given by name)
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        *,
        clock: Callable[[], datetime] = moment.now,
        pause: Callable[[float], None] = sleep,
        most_rejects: int = MOST_REJECTS,
    ) -> None:
        """Resolve the URL; nothing is connected before `open`.

        Args:
            push: table, mode and key.
            integration: name of the stream's integration.
            keeping: how long rejected records are kept.
            clock: tells the time, in UTC.
            pause: waits for so many seconds.
            most_rejects: how many rejects of an atomic slice are kept for the case of its failure.

        Raises:
            ConfigurationError: a variable is not set, or the URL is not one of a known database.
        """
        self._database = Database.of(push.target)
        self._dialect = self._database.dialect
        self._stream = Stream(integration, push.table)
        self._staging = Staging(self._dialect, self._stream, push.key)
        self._replaces = push.mode == "replace"
        table = self._staging.name if self._replaces else push.table
        self._writer = Writer(self._dialect, push, table)
        self._vanishing = Vanishing(self._dialect, self._stream, push)
        self._pages = Pages(self._dialect, self._stream, push)
        self._rejects = Quarantining(
            self._dialect,
            self._stream,
            keeping or QuarantineSettings(),
            staged=self._replaces,
            most=most_rejects,
        )
        self._push = push
        self._part = WHOLE
        self._clock = clock
        self._pause = pause

    def only(self, part: Part) -> None:
        """Let this opening be one of a part of the stream; called before `open`."""
        self._part = part
        self._stream = replace(self._stream.whole, part=part.path)
        # A part cannot tell what of the whole has vanished.
        alone = self._push.model_copy(update={"vanished": VanishedSettings()})
        self._vanishing = Vanishing(self._dialect, self._stream, alone)
        if part.columns:
            self._writer = ColumnWriter(self._dialect, self._push, part.columns)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Connect, create the state tables, take the stream's lease and return its state."""
        self._run = run
        self._lease = Lease(self._stream, run.run_id, self._clock, beside=self._push.beside)
        if wait:
            yields = self._part.yields
            return once_free(self._try_to_open, self._stand_in_line, self._pause, yields=yields)
        return undeadlocked(self._try_to_open, self._pause)

    def _stand_in_line(self) -> None:
        if not self._part.path:
            stand_in_line(self._database, self._lease)

    def adopt(self, run_id: str, started: datetime | None = None) -> None:
        """Go on under the id, and with the clock, of the unfinished run that is being resumed."""
        self._resumed = True
        self._run = replace(self._run, run_id=run_id, started=started or self._run.started)

    def partitions(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the watermarks of those parts of the source that have one."""
        with self._database.explained(), self._chunk() as connection:
            return partitions.load(connection, self._stream, keys)

    def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect already."""
        with self._database.explained(), self._chunk() as connection:
            effects.forget(connection, self._stream, self._clock())
            return effects.load(connection, self._stream, events)

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:
        """Start a slice; `atomic` keeps it in one transaction until `finish` or `abandon`.

        A `whole` one notes what it meets; with `replace`, its chunks go into a staging table.
        """
        at_once = atomic and not self._replaces
        self._rejects.begin(atomic=at_once)
        self._journal = Journal(self._writer.fields) if at_once and self._commits_changes else None
        undeadlocked(partial(self._begin, whole=whole), self._pause)
        with self._database.explained():
            self._slice = self._begin_whole() if at_once else None

    def _begin(self, *, whole: bool) -> None:
        with self._database.explained(), self._transaction() as connection:
            if self._commits_changes:
                self._lease.extend(connection)  # before what cannot be rolled back
            checkpoint.begin_run(connection, self._dialect, self._stamp)
            self._staging.drop(connection)  # a killed run may have left it, whatever the mode
            with changing.allowed(connection):
                self._writer.begin(connection, self._stamp)
            self._vanishing.begin(connection, self._stamp, whole=whole, resumed=self._resumed)
            if self._replaces:
                self._staging.begin(connection)
            self._lease.extend(connection)

    def commit(self, chunk: Chunk) -> Written:
        """Write rows, quarantine, resume point and watermark of a chunk, or nothing of it."""
        return self._until_done(lambda changes: self._commit(chunk, changes))

    def _commit(self, chunk: Chunk, changes: TableChanges) -> Written:
        with self._chunk() as connection:
            batches, stamp = chunk.batches, self._stamp
            known = self._rejects.identities
            written, mended = self._writer.write(connection, batches, known, changes)
            self._vanishing.note(connection, stamp, batches)
            settled = self._rejects.settle(connection, stamp, batches, written, mended)
            resume = chunk.resume(written)

            def keep() -> None:
                self._save(connection, resume=resume, watermark=chunk.watermark, ties=chunk.ties)
                partitions.save(connection, self._dialect, stamp, chunk.partitions)
                effects.save(connection, self._dialect, stamp, chunk.effects)

            keep()
            if self._slice is None:
                # Last, as in every transaction: the lease's row is locked for a moment only.
                self._lease.extend(connection)
        self._rejects.note(*settled)
        self._pages.note(batches, written)
        if self._journal is not None:
            told = (connection, stamp, without_rows(batches), written, mended)
            settle = partial(self._rejects.settle_again, *told)
            self._journal.note(batches, written, (settle, keep))
        return written

    def finish(  # noqa: PLR0913 (what is stored is given by name)
        self,
        report: RunReport,
        *,
        watermark: Any = None,
        ties: Mapping[str, Any] | None = None,
        clear_resume: bool,
        reread: bool = False,
        profile: dict[str, Any] | None = None,
    ) -> None:
        """End the slice: keep the report, move the watermark if given, drop the resume point.

        If every record was read (`reread`), the columns that were added before are filled now.
        """
        warnings, deleted = list(report.warnings), report.records.deleted
        if self._vanishing.looks:
            with self._database.explained(), self._transaction() as connection:
                self._vanishing.ready(connection)

        def end(_: TableChanges) -> None:
            report.warnings, report.records.deleted = list(warnings), deleted
            with self._ending() as connection:
                self._vanishing.close(connection, self._stamp, report)
                if self._replaces:
                    if self._commits_changes and not self._has_table(connection):
                        self._lease.extend(connection)  # before what cannot be rolled back
                    report.records.deleted = self._staging.take_place(connection)
                if reread:
                    added_columns.filled(connection, self._stream.table)
                report.warnings += self._rejects.close(connection, self._stamp)
                checkpoint.end_run(connection, self._stamp, report)
                kept = None if self._part.once else profile
                profiles.save(connection, self._dialect, self._stamp, kept)
                self._save(connection, watermark=watermark, ties=ties, clear_resume=clear_resume)
                parts.end(connection, self._dialect, self._stamp, self._part, report)
                self._pages.close(connection, self._stamp, report)
                self._lease.extend(connection)

        self._until_done(end)
        self._forget_slice()
        if self._vanishing.made or (self._replaces and self._commits_changes):
            self._tidy()

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:
        """Roll back what is not committed and keep the failed run's report.

        With a report, the rejects of an atomic slice are kept too: they tell why it failed.
        """
        rejects = self._forget_slice()
        with self._database.explained():
            self._roll_slice_back()
            with self._transaction() as connection:
                if report is not None:
                    checkpoint.begin_run(connection, self._dialect, self._stamp)
                    checkpoint.end_run(connection, self._stamp, report)
                    self._rejects.rescue(connection, self._stamp, rejects)
                if self._lease.still_held(connection):
                    self._clean(connection, clear_resume=clear_resume)
                self._rejects.load(connection)

    def close(self) -> None:
        """Release the lease and disconnect; never raises."""
        with suppress(Exception):
            self._forget_slice()
            self._roll_slice_back()
        with suppress(Exception), self._transaction() as connection:
            if self._replaces and self._lease.still_held(connection):
                self._staging.drop(connection)
        with suppress(Exception), self._transaction() as connection:
            self._lease.release(connection)
        with suppress(Exception):
            self._connection.close()

    def _try_to_open(self) -> StreamState:
        # Looked up without a write lock first, so that a second run is refused at once.
        with self._database.reading() as connection:
            if tables.are_ready(connection):
                self._lease.check_free(connection)
        with self._database.explained():
            self._connection = self._database.connect()
            try:
                with self._transaction() as connection:
                    return self._take(connection)
            except BaseException:
                self._connection.close()
                raise

    def _take(self, connection: Connection) -> StreamState:
        tables.prepare(connection, self._dialect)
        self._lease.take(connection, self._dialect)
        checkpoint.create(connection, self._dialect, self._stamp)
        self._rejects.load(connection)
        state = parts.load(connection, self._stream, self._part)
        pages = self._pages.open(connection, self._run.pages)
        return replace(state, profile=profiles.load(connection, self._stream), pages=pages)

    def _clean(self, connection: Connection, *, clear_resume: bool) -> None:
        if self._replaces:
            self._staging.drop(connection)
        if clear_resume:
            self._vanishing.clean(connection)
            self._save(connection, clear_resume=True)

    def _save(self, connection: Connection, **values: Any) -> None:
        checkpoint.save(connection, self._stamp, **values)

    @property
    def _stamp(self) -> Stamp:
        run = self._run
        started = moment.written(run.started) if run.started else None
        now = moment.written(self._clock())
        return Stamp(self._stream, run.run_id, now, started, run.mapping)
