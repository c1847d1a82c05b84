"""The destination of a dry run where nobody can look at what is there: records are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import (
    checkpoint,
    effects,
    moment,
    partitions,
    profiles,
    tables,
)
from astrio.tasks.destinations.sql.database import Database
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.destinations.sql.rows import by_shape, without_key
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.difference import Difference
from astrio.tasks.report import RunReport

Deliver = Callable[[Sequence[Batch], RunIdentity], Written]


class Rehearsal:
    """Reads a stream's state and changes nothing.

    Attributes:
        stream: whose state.
        deliver: tells what would become of rows.
        closing: called at the end.
        renews_apart: there is no lease to renew.
    """

    renews_apart = True
    _run: RunIdentity

    def __init__(self, push: PushSettings, integration: str) -> None:
        """Take the settings; raises ConfigurationError if the ledger's URL is none."""
        self._database = Database.of(push.target)
        self._key = push.key
        self._counted = Written()
        self.stream = Stream(integration, push.table)
        self.deliver: Deliver = self._as_written
        self.closing: Callable[[], None] = lambda: None

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:  # noqa: ARG002 (a look is short)
        """Return the stream's state; raises LeaseHeldError beside another run."""
        self._run = run
        if not self._database.exists():
            return StreamState()
        with self._database.reading() as connection:
            if not tables.are_ready(connection):
                return StreamState()
            Lease(self.stream, run.run_id, moment.now).check_free(connection)
            state = checkpoint.load(connection, self.stream)
            return replace(state, profile=profiles.load(connection, self.stream))

    def adopt(self, run_id: str, started: datetime | None = None) -> None:
        """Go on under the id, and with the clock, of the unfinished run that is being resumed."""
        started = started or self._run.started
        self._run = replace(self._run, run_id=run_id, started=started)

    def partitions(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the watermarks of those parts of the source that have one."""
        if not self._database.exists():
            return {}
        with self._database.reading() as connection:
            ready = tables.are_ready(connection)
            return partitions.load(connection, self.stream, keys) if ready else {}

    def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect already."""
        if not self._database.exists():
            return set()
        with self._database.reading() as connection:
            ready = tables.are_ready(connection)
            return effects.load(connection, self.stream, events) if ready else set()

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:  # noqa: ARG002 (nothing is written)
        """Start a slice, or start it again."""
        self._counted = Written()

    def commit(self, chunk: Chunk) -> Written:
        """Count a chunk."""
        written = self.deliver(chunk.batches, self._run)
        known = sum(batch.page.known for batch in chunk.batches)
        self._counted.written += written.written
        self._counted.unchanged += written.unchanged + known
        return written

    def finish(  # noqa: PLR0913 (as every destination)
        self,
        report: RunReport,
        *,
        watermark: Any = None,  # noqa: ARG002 (nothing is kept)
        ties: Mapping[str, Any] | None = None,  # noqa: ARG002
        clear_resume: bool,  # noqa: ARG002
        reread: bool = False,  # noqa: ARG002
        profile: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        """Tell the difference, as far as it can be known: what would be handed over is new."""
        self._tell(report)

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:  # noqa: ARG002
        """With a failed run's report, tell what it would have handed over."""
        if report is not None:
            self._tell(report)

    def renew(self) -> None:
        """Do nothing: no lease is held."""

    def close(self) -> None:
        """End it."""
        self.closing()

    def _tell(self, report: RunReport) -> None:
        told = self._counted
        report.difference = Difference(new=told.written, unchanged=told.unchanged)

    def _as_written(self, batches: Sequence[Batch], _: RunIdentity) -> Written:
        written = Written()
        for rows in by_shape(batches, self._key, ()):
            problems = without_key(rows, self._key)
            written.rejected += [rows.reject(at, each) for at, each in problems.items()]
            written.written += len(rows.rows) - len(problems)
        return written
