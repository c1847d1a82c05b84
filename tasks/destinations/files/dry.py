"""A dry run of a file: rows are formatted and counted, the ledger is only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.files.destination import FileDestination
from astrio.tasks.destinations.files.publication import Publication
from astrio.tasks.destinations.files.spool import CountingSpool
from astrio.tasks.destinations.sql import effects, partitions, tables
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.difference import Difference, FileDifference
from astrio.tasks.report import RunReport


class FileDryRun(FileDestination):
    """One stream's file as a run would write it; neither it nor the ledger changes."""

    _counting: CountingSpool
    _earlier: Publication | None = None

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:  # noqa: ARG002 (nothing is held)
        """Look up the stream's state, as it is once what a run before has left is finished.

        Raises:
            LeaseHeldError: a run of the stream is at work.
        """
        self._run = run
        lease = Lease(self._stream, run.run_id, self._clock)
        with self._looking() as connection:
            if connection is None:
                return StreamState()
            lease.check_free(connection)
            state = self._state(connection)
        earlier = Publication.read(state.resume)
        self._earlier = earlier if earlier and earlier.due else None
        if self._earlier is None or self._earlier.watermark is None:
            return replace(state, resume=None)
        then = self._earlier
        ties, profile = then.ties or {}, then.profile or state.profile
        return replace(state, resume=None, watermark=then.watermark, ties=ties, profile=profile)

    def partitions(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the watermarks of those parts of the source that have one."""
        with self._looking() as connection:
            found = partitions.load(connection, self._stream, keys) if connection else {}
        later: Mapping[str, Any] = self._earlier.partitions if self._earlier else {}
        return found | {key: later[key] for key in keys if key in later}

    def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect already."""
        with self._looking() as connection:
            found = effects.load(connection, self._stream, events) if connection else set()
        return found | (set(self._earlier.effects if self._earlier else ()) & set(events))

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:  # noqa: ARG002 (as its base)
        """Begin to count."""
        self._counting = CountingSpool(gzipped=self._to.gzipped)
        self._rows = self._writer_to(self._counting)

    def commit(self, chunk: Chunk) -> Written:
        """Format the rows, and keep none."""
        written, _ = self._rows.write(chunk.batches, set())
        return written

    def finish(self, report: RunReport, **_: Any) -> None:
        """Tell how the file would be."""
        self._rows.finish()
        traces = self._place.plan(self._name(), self._run.run_id)
        found = Difference(new=self._rows.rows)
        if self._rows.rows or not self._to.adds:
            found.removed = report.records.deleted = self._rows_there(traces)
            found.file = FileDifference(
                name=self._place.shown(traces),
                bytes=self._counting.size(),
                replaces=not self._adds and self._place.there(traces),
            )
        report.difference = found

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:  # noqa: ARG002 (as its base)
        """Tell that a run which fails leaves no file."""
        if report is not None:
            report.difference = Difference()

    def renew(self) -> None:
        """Do nothing: no lease is held."""

    def close(self) -> None:
        """Do nothing: nothing is open."""

    @contextmanager
    def _looking(self) -> Iterator[Connection | None]:
        """Open the ledger for reading; None: no run has used it yet."""
        if not self._database.exists():
            yield None
            return
        with self._database.reading() as connection:
            yield connection if tables.are_ready(connection) else None
