"""The dry run of an API: which requests a run would send, told by the journal; none is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.actions.calling import shown
from astrio.tasks.actions.rendering import masked
from astrio.tasks.destinations.api.composer import Composer
from astrio.tasks.destinations.api.deliverer import Deliverer
from astrio.tasks.destinations.api.jobs import Job
from astrio.tasks.destinations.api.pretending import Presumed, Pretender, ShadowJournal
from astrio.tasks.destinations.api.route import Route
from astrio.tasks.destinations.api.settings import Sending
from astrio.tasks.destinations.api.target import RequestTarget
from astrio.tasks.destinations.base import Chunk, RunIdentity, Written
from astrio.tasks.destinations.handing.rehearsing import Rehearsal
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.difference import (
    MOST_EXAMPLES,
    ChangedRow,
    Difference,
    PlannedRequest,
    SentRequest,
)
from astrio.tasks.http.request import FilledRequest
from astrio.tasks.report import RunReport


class ApiDryRun(Rehearsal):
    """One stream's records, and the requests that would carry them to an API."""

    def __init__(self, push: PushSettings, integration: str, examples: list[ChangedRow]) -> None:
        """Take the settings, and a list that gets the first requests."""
        super().__init__(push, integration)
        assert isinstance(push.to, RequestTarget)
        self._deliverer = _Deliverer(push, push.to, self.stream.id, examples)
        self._goes_on = False
        self.closing = self._deliverer.close

    def adopt(self, run_id: str, started: datetime | None = None) -> None:
        """Go on as the unfinished run would that is being resumed."""
        super().adopt(run_id, started)
        self._goes_on = True

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:
        """Start a slice, or start it again."""
        super().begin_slice(atomic=atomic, whole=whole)
        self._deliverer.start(self._run, goes_on=self._goes_on)

    def commit(self, chunk: Chunk) -> Written:
        """Tell what a run would do with a chunk."""
        return self._deliverer.told(chunk)

    def _tell(self, report: RunReport) -> None:
        report.difference = self._deliverer.difference


class _Deliverer(Deliverer):
    """Carries out a run's deliveries up to the sending."""

    def __init__(
        self, push: PushSettings, target: RequestTarget, stream: str, examples: list[ChangedRow]
    ) -> None:
        super().__init__(push, target, stream)
        self._examples = examples
        self._folder = TemporaryDirectory(prefix="astrio-")
        self.difference = Difference(requests=0)

    def told(self, chunk: Chunk) -> Written:
        """Return what would become of a chunk."""
        self.deliver(chunk)
        assert self._route is not None
        jobs, written = self._jobs, self._counted()
        found = self.difference
        found.new += sum(job.new for job in jobs)
        found.changed += sum(job.fate == "written" for job in jobs) - sum(job.new for job in jobs)
        found.unchanged += written.unchanged + sum(each.page.known for each in chunk.batches)
        journal = self._route.journal
        for job in jobs:
            job.held.met = True
        rows = {job.held.id: journal.row_of(job.held) for job in jobs if job.held.identity}
        if rows:
            journal.keep(list(rows.values()))
        return written

    def close(self) -> None:
        """Let go of the shadow."""
        super().close()
        self._folder.cleanup()

    async def _opened(self, run: RunIdentity) -> Route:
        delivery = self._target.delivery(masked)
        self._shown = self._api(delivery, run)
        again = not (self._keyed or self._goes_on)
        journal = ShadowJournal(self._stream, Path(self._folder.name), reads_again=again)
        route = self._routed(run, delivery, journal, Pretender(), Presumed(delivery.outcomes))
        route.watch = self._watch
        return route

    def _composer(self, sending: Sending, run: RunIdentity) -> Composer:
        started = run.started or datetime.now(UTC)
        return Composer(sending, self._target.beside.variables, started, masked)

    def _watch(self, jobs: Sequence[Job], request: FilledRequest) -> None:
        assert self.difference.requests is not None
        self.difference.requests += 1
        if len(self._examples) < MOST_EXAMPLES:
            with suppress(ConfigurationError):
                self._examples.append(self._planned(jobs, request))

    def _planned(self, jobs: Sequence[Job], request: FilledRequest) -> PlannedRequest:
        seen = shown(self._shown, request)
        alone = jobs[0].key if len(jobs) == 1 else None
        key: Mapping[str, Any] = dict(zip(self._push.key, alone or (), strict=False))
        return PlannedRequest(
            key=dict(key),
            fields={},
            request=SentRequest(
                method=seen.method, url=seen.url, headers=seen.headers, body=seen.body
            ),
            records=len(jobs),
        )
