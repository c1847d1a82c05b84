"""Pushing to a file: the rows gather in a spool, the state of the stream lives in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.files.format import format_of
from astrio.tasks.destinations.files.local import explained
from astrio.tasks.destinations.files.naming import named, whole_pattern
from astrio.tasks.destinations.files.place import Traces
from astrio.tasks.destinations.files.publication import Publication
from astrio.tasks.destinations.files.showing import ShownFiles
from astrio.tasks.destinations.files.spool import Spool
from astrio.tasks.destinations.files.target import FilesTarget
from astrio.tasks.destinations.files.writer import FileWriter
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import checkpoint
from astrio.tasks.report import RunReport


class FileDestination(ShownFiles):
    """One stream's files, each written whole or not at all."""

    _rows: FileWriter

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        **how: Any,
    ) -> None:
        """Take the settings; nothing is written before `begin_slice`.

        Args:
            push: the file, the mode, and the key by which the quarantine knows a record.
            integration: name of the stream's integration.
            keeping: how long rejected records are kept.
            **how: as `ShownFiles`.

        Raises:
            ConfigurationError: a variable is not set, what the format or the place needs is not
                installed, or the mode means nothing for such a name.
        """
        super().__init__(push, integration, keeping, **how)
        assert isinstance(push.to, FilesTarget)
        self._format = format_of(push.to.form)
        self._partitions: dict[str, Any] = {}
        self._effects: dict[str, None] = {}

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:  # noqa: ARG002 (a file is, always)
        """Begin the run's file."""
        self._rejects.begin(atomic=False)
        self._partitions, self._effects = {}, {}
        with self._database.explained(), self._transaction() as connection:
            checkpoint.begin_run(connection, self._dialect, self._stamp)
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
        marks: dict[str, Any] = {"watermark": watermark, "profile": profile}
        marks["ties"] = None if ties is None else dict(ties)
        pending = self._publication(traces, report, due=not empty, **marks)
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

    def _publication(
        self, traces: Traces, report: RunReport, *, due: bool, **marks: Any
    ) -> Publication:
        """Return all that goes with the file, for whoever has to finish this run."""
        mended, closing = self._rejects.leaving
        return Publication(
            traces,
            due=due,
            run_id=self._run.run_id,
            started=self._stamp.started,
            mapping=self._run.mapping,
            report=report.model_dump(mode="json"),
            written=self._place.shown(traces) if due else None,
            rows=self._rows.rows,
            partitions=self._partitions,
            effects=list(self._effects),
            mended=mended,
            closing=closing,
            **marks,
        )

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:  # noqa: ARG002 (nothing is resumed)
        """Forget the file, unless it is due: then the next run shows it; keep the report."""
        self._rejects.forget()
        pending = self._pending
        with self._database.explained(), self._transaction() as connection:
            if report is not None:
                checkpoint.begin_run(connection, self._dialect, self._stamp)
                checkpoint.end_run(connection, self._stamp, report)
            forgotten = self._lease.still_held(connection) and not (pending and pending.due)
            if forgotten:
                self._save(connection, clear_resume=True)
            self._rejects.load(connection)
        if pending is not None and forgotten:
            self._drop(pending)

    def _name(self) -> str:
        pattern = whole_pattern(self._to.pattern, self._to.form, gzipped=self._to.gzipped)
        started = self._run.started or datetime.now(UTC)
        return named(pattern, self._stream.integration, self._run.run_id, started)

    def _writer_to(self, spool: Spool) -> FileWriter:
        form = self._format(spool, escape_formulas=self._to.escape_formulas)
        return FileWriter(form, self._push.key)

    @contextmanager
    def _spooling(self) -> Iterator[None]:
        assert self._pending is not None
        with explained(self._place.on_disk(self._pending.traces)):
            yield
