"""Pushing to a file: the rows gather in a spool, the state of the stream lives in the ledger.

Two transactions of the ledger enclose the moment at which the file is shown. The first notes
everything that the second will do; between them the file is put in its place, which may be
repeated. So a process that dies leaves either a file that was never shown, and a stream as it was,
or a note from which the next run finishes: no record is lost, and none is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.files.format import format_of
from astrio.tasks.destinations.files.local import explained
from astrio.tasks.destinations.files.naming import named, whole_pattern
from astrio.tasks.destinations.files.place import NotShownYetError, Place, Traces
from astrio.tasks.destinations.files.publication import Publication
from astrio.tasks.destinations.files.settling import LateQuarantining
from astrio.tasks.destinations.files.spool import Spool
from astrio.tasks.destinations.files.target import FilesTarget
from astrio.tasks.destinations.files.writer import FileWriter
from astrio.tasks.destinations.part import Part
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import checkpoint, effects, moment, partitions, parts, profiles
from astrio.tasks.destinations.sql.database import transaction
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.quarantining import MOST_REJECTS
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.report import RunReport

_ROWS_OF: Final = "file:"


def _nowhere(_point: str) -> None:
    """Take the place of what tests do between two steps."""


class FileDestination(SqlDestination):
    """One stream's files, each written whole or not at all."""

    _spool: Spool | None = None
    _rows: FileWriter

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        *,
        passing: Callable[[str], None] = _nowhere,
        **how: Any,
    ) -> None:
        """Take the settings; nothing is written before `begin_slice`.

        Args:
            push: the file, the mode, and the key by which the quarantine knows a record.
            integration: name of the stream's integration.
            keeping: how long rejected records are kept.
            passing: called at each step by which a file is shown.
            **how: as `SqlDestination`.

        Raises:
            ConfigurationError: a variable is not set, what the format or the place needs is not
                installed, or the mode means nothing for such a name.
        """
        super().__init__(push, integration, keeping, **how)
        assert isinstance(push.to, FilesTarget)
        self._to = push.to
        self._push = push
        self._refuse_adding()
        self._format = format_of(push.to.form)
        self._place: Place = push.to.place(self._stream.id)
        self._replaces = False  # no table is staged, whatever the mode
        self._rejects: LateQuarantining = LateQuarantining(
            self._dialect,
            self._stream,
            keeping or QuarantineSettings(),
            staged=True,
            most=how.get("most_rejects", MOST_REJECTS),
        )
        self._passing = passing
        self._pending: Publication | None = None
        self._partitions: dict[str, Any] = {}
        self._effects: dict[str, None] = {}
        self._told: list[str] = []

    def only(self, part: Part) -> None:
        """Let this opening be one of a part of the stream: each part adds files of its own."""
        super().only(part)
        self._place = self._to.place(self._stream.id)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Take the stream's lease, and finish what a run before could not."""
        with Ledger().writing():
            pass  # it is made, if it is missing
        state = super().open(run, wait=wait)
        try:
            self._pending = Publication.read(state.resume)
            if self._pending is not None:
                self._finish_earlier(self._pending)
                with self._database.explained(), self._transaction() as connection:
                    state = self._state(connection)
        except BaseException:
            self._pending = None
            self.close()
            raise
        return replace(state, resume=None)

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:  # noqa: ARG002 (a file is, always)
        """Begin the run's file."""
        self._rejects.begin(atomic=False)
        self._partitions, self._effects = {}, {}
        with self._database.explained(), self._transaction() as connection:
            self._begin_run(connection)
            self._lease.extend(connection)
        traces = self._place.plan(self._name(), self._run.run_id)
        self._note(Publication(traces))
        self._passing("planned")
        begun = self._place.begin(traces)
        if begun != traces:
            self._note(Publication(begun))
        self._passing("begun")
        self._spool = Spool(self._place.spool(begun), gzipped=self._to.gzipped)
        self._rows = self._writer_to(self._spool)

    def commit(self, chunk: Chunk) -> Written:
        """Write rows to the spool; the ledger keeps the rejects, and the rest is for the end."""
        with self._spooling():
            written, mended = self._rows.write(chunk.batches, self._rejects.identities)
        with self._database.explained(), self._transaction() as connection:
            settled = self._rejects.settle(connection, self._stamp, chunk.batches, written, mended)
            self._lease.extend(connection)
        self._rejects.note(*settled)
        self._partitions |= chunk.partitions
        self._effects |= dict.fromkeys(chunk.effects)
        self._passing("chunk")
        return written

    def finish(
        self,
        report: RunReport,
        *,
        watermark: Any = None,
        ties: Mapping[str, Any] | None = None,
        profile: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Show the file, then move the stream's state on; a run that adds nothing adds no file."""
        assert self._pending is not None
        with self._spooling():
            self._rows.finish()
        self._passing("spooled")
        traces = self._pending.traces
        empty = self._to.adds and not self._rows.rows
        if not empty:
            with self._spooling():
                traces = self._place.secure(traces, adds=self._adds)
            report.records.deleted = self._rows_there(traces)
        report.warnings += self._told
        mended, closing = self._rejects.leaving
        pending = Publication(
            traces,
            due=not empty,
            run_id=self._run.run_id,
            started=self._stamp.started,
            mapping=self._run.mapping,
            report=report.model_dump(mode="json"),
            written=None if empty else self._place.shown(traces),
            rows=self._rows.rows,
            watermark=watermark,
            ties=None if ties is None else dict(ties),
            profile=profile,
            partitions=self._partitions,
            effects=list(self._effects),
            mended=mended,
            closing=closing,
        )
        if not empty:
            self._passing("secured")
            self._note(pending)
            self._passing("due")
            self._show(pending)
            self._passing("shown")
        self._settle(pending, report)
        if empty:
            self._place.discard(traces)
        self._passing("settled")

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:  # noqa: ARG002 (nothing is resumed)
        """Forget the file, unless it is due: then the next run shows it; keep the report."""
        self._rejects.forget()
        pending = self._pending
        with self._database.explained(), self._transaction() as connection:
            if report is not None:
                self._begin_run(connection)
                checkpoint.end_run(connection, self._stamp, report)
            forgotten = self._lease.still_held(connection) and not (pending and pending.due)
            if forgotten:
                self._save(connection, clear_resume=True)
            self._rejects.load(connection)
        if pending is not None and forgotten:
            self._drop(pending)

    @property
    def renews_apart(self) -> bool:
        """Whether `renew` may be called from another thread: no transaction stays open for long."""
        return True

    def renew(self) -> None:
        """Extend the lease, on a connection of its own."""
        with (
            self._database.explained(),
            self._database.connect() as other,
            transaction(other) as connection,
        ):
            self._lease.extend(connection)

    def close(self) -> None:
        """Release the lease, and leave no file behind that will not be shown."""
        with suppress(Exception):
            if self._pending is not None and not self._pending.due:
                self._drop(self._pending)
        super().close()

    def _refuse_adding(self) -> None:
        push, to = self._push, self._to
        if push.mode in to.modes and (push.mode == "replace" or to.adds):
            return
        raise ConfigurationError(
            f"{self._stream.integration} writes {to.reference} anew with each run, so nothing can "
            "be added to it.",
            advice="Run it again as a whole (`mode: replace`); or let each run add a file: put "
            "{{run_id}} into the name, or end it with /.",
        )

    @property
    def _adds(self) -> bool:
        return self._push.mode == "append"

    def _name(self) -> str:
        pattern = whole_pattern(self._to.pattern, self._to.form, gzipped=self._to.gzipped)
        started = self._run.started or datetime.now(UTC)
        return named(pattern, self._stream.integration, self._run.run_id, started)

    def _writer_to(self, spool: Spool) -> FileWriter:
        form = self._format(spool, escape_formulas=self._to.escape_formulas)
        return FileWriter(form, self._push.key)

    def _state(self, connection: Connection) -> StreamState:
        state = parts.load(connection, self._stream, self._part)
        return replace(state, profile=profiles.load(connection, self._stream))

    def _finish_earlier(self, pending: Publication) -> None:
        """Show the file of a run that died, or remove what it left."""
        report = RunReport.model_validate(pending.report) if pending.due else None
        if report is not None and self._shown(pending):
            self._rejects.expect(pending.mended, pending.closing)
            self._settle(pending, report)
            self._told = [
                f"An earlier run had ended before its file was shown: this run has put "
                f"{self._place.shown(pending.traces)} in its place first."
            ]
        else:
            with self._database.explained(), self._transaction() as connection:
                self._save(connection, clear_resume=True)
            self._place.discard(pending.traces)
        self._pending = None
        with self._database.explained(), self._transaction() as connection:
            self._rejects.load(connection)

    def _show(self, pending: Publication) -> None:
        try:
            shown = self._shown(pending)
        except NotShownYetError:
            raise
        except BaseException:
            self._pending = replace(pending, due=False)
            raise
        if not shown:
            self._pending = replace(pending, due=False)
            raise NotShownYetError(
                f"What was to become {self._place.shown(pending.traces)} has been removed "
                "meanwhile.",
                advice="Run again, and leave astrio's temporary files alone.",
            )

    def _shown(self, pending: Publication) -> bool:
        return self._place.publish(pending.traces)

    def _note(self, pending: Publication) -> None:
        with self._database.explained(), self._transaction() as connection:
            self._save(connection, resume=pending.to_json())
            self._lease.extend(connection)
        self._pending = pending

    def _settle(self, pending: Publication, report: RunReport) -> None:
        """Move the stream's state on, now that the file is shown."""
        now = moment.written(self._clock())
        stamp = Stamp(self._stream, pending.run_id, now, pending.started, pending.mapping)
        rows = {_ROWS_OF + self._place.shown(pending.traces): pending.rows}
        with self._database.explained(), self._transaction() as connection:
            report.warnings += self._rejects.close(connection, stamp)
            report.file = pending.written
            checkpoint.end_run(connection, stamp, report)
            profiles.save(connection, self._dialect, stamp, pending.profile)
            kept = {} if self._to.adds else rows
            partitions.save(connection, self._dialect, stamp, pending.partitions | kept)
            effects.save(connection, self._dialect, stamp, pending.effects)
            marks: dict[str, Any] = {"watermark": pending.watermark, "ties": pending.ties}
            checkpoint.save(connection, stamp, **marks, clear_resume=True)
            parts.end(connection, self._dialect, stamp, self._part, report)
            self._lease.extend(connection)
        self._pending = None
        self._rejects.forget()

    def _rows_there(self, traces: Traces) -> int:
        """Return how many rows the file had that is being replaced, if an earlier run wrote it."""
        if self._adds or not self._place.there(traces):
            return 0
        name = _ROWS_OF + self._place.shown(traces)
        found = self.partitions([name])
        return int(found.get(name, 0))

    def _drop(self, pending: Publication) -> None:
        if self._spool is not None:
            self._spool.close()
        self._place.discard(pending.traces)
        self._pending = None

    @contextmanager
    def _spooling(self) -> Iterator[None]:
        assert self._pending is not None
        with explained(self._place.on_disk(self._pending.traces)):
            yield
