"""A run's deliveries: the client and its event loop, chunk after chunk, and what the chunk counts.

It takes the place of a table's writer: `deliver` sends while no transaction is open, and `write`
tells within the chunk's transaction what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError
from astrio.tasks.batch import Batch
from astrio.tasks.connection import filled_api
from astrio.tasks.destinations.api.composer import Composer
from astrio.tasks.destinations.api.courier import Courier
from astrio.tasks.destinations.api.deciding import Decider
from astrio.tasks.destinations.api.health import Health
from astrio.tasks.destinations.api.jobs import Identities, Job, hold, jobs_of
from astrio.tasks.destinations.api.journal import Journal
from astrio.tasks.destinations.api.outcomes import Outcomes
from astrio.tasks.destinations.api.route import Route
from astrio.tasks.destinations.api.sender import Heard, Sender
from astrio.tasks.destinations.api.settings import Delivery, Sending
from astrio.tasks.destinations.api.target import RequestTarget
from astrio.tasks.destinations.base import Chunk, RunIdentity, Written
from astrio.tasks.destinations.part import Part
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.replaying import replayed
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.http.client import ApiClient
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.report import RunReport, TableChanges

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Deliverer:
    """Sends one stream's records.

    Attributes:
        fields: none: there is no table whose columns they would be.
    """

    fields: Sequence[str] = ()

    def __init__(self, push: PushSettings, target: RequestTarget, stream: str) -> None:
        """Take the settings and the stream's id; nothing is opened before `start`."""
        self._push = push
        self._target = target
        self._stream = stream
        self._keyed = push.mode == "upsert"
        self._runner: asyncio.Runner | None = None
        self._client: ApiClient | None = None
        self._route: Route | None = None
        self._jobs: list[Job] = []
        self._chunk: Chunk | None = None
        self._goes_on = False

    def only(self, part: Part) -> None:
        """Note what a part of the stream appends apart: it is forgotten with the part's own end."""
        if part.path and not self._keyed:
            self._stream = " ".join((self._stream, *part.path))

    def start(self, run: RunIdentity, *, goes_on: bool) -> None:
        """Open the client, once; `goes_on` says that the run goes on from a resume point.

        Raises:
            ConfigurationError: a variable is not set, or a setting cannot be used.
        """
        self._goes_on = goes_on
        if self._route is None:
            self._runner = asyncio.Runner()
            self._route = self._runner.run(self._opened(run))

    def deliver(self, chunk: Chunk) -> None:
        """Send what of the chunk is to be sent.

        Raises:
            AstrioError: it makes no sense to go on; what was sent is in the journal.
        """
        assert self._route is not None  # a slice has begun
        assert self._runner is not None
        journal, replay = self._route.journal, bool(replayed(chunk.batches))
        if not (self._keyed or self._goes_on or replay):
            journal.read_again()
            self._goes_on = True
        self._chunk = chunk
        self._jobs = self._jobs_of(chunk.batches, self._route.identities)
        sendable = [job for job in self._jobs if job.fate is None]
        rows = journal.find(job.identity for job in sendable)
        hold(sendable, rows, keyed=self._keyed, replay=replay)
        decider = Decider(self._route.delivery, self._push.version is not None, replay)
        self._runner.run(Courier(self._route, decider).deliver(sendable))

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice: there is no table to prepare."""

    def write(
        self,
        connection: Connection,
        batches: Sequence[Batch],  # noqa: ARG002 (they were delivered)
        quarantined: set[str],
        changes: TableChanges | None = None,  # noqa: ARG002 (there is no table)
    ) -> tuple[Written, set[str]]:
        """Tell what became of the chunk that was delivered, within its transaction.

        Returns:
            The counts and the rejects, and which of the quarantined keys are sent now.
        """
        assert self._route is not None
        assert self._chunk is not None
        jobs, written = self._jobs, self._counted()
        there = {key_text(job.key) for job in jobs if job.key is not None and job.there}
        durable = self._chunk.resume(written) is not None
        self._pass_by(connection, self._route, jobs, durable=durable)
        return written, quarantined & there

    def end(self, connection: Connection, *, whole: bool) -> None:
        """Forget what was sent once for this run; `whole`: the run read all that it was to."""
        if not self._keyed and self._route is not None:
            run = None if whole else self._route.run
            self._route.journal.close_run(connection, run=run)

    def forgotten(self) -> int:
        """Return how many requests of interrupted runs nobody knows the outcome of."""
        return 0 if self._route is None else self._route.journal.forgotten()

    def interrupt(self) -> None:
        """Send nothing more; called from another thread while a chunk is delivered."""
        if self._route is not None:
            health = self._route.health
            health.fatal = health.fatal or AstrioError("The run was interrupted.")

    def count(self, report: RunReport) -> None:
        """Add the requests that were sent here to those of the source."""
        if self._client is not None:
            sent, stats = report.requests, self._client.stats
            more = {"sent": sent.sent + stats.sent, "retried": sent.retried + stats.retried}
            report.requests = sent.model_copy(update=more)

    def close(self) -> None:
        """Close the client; never raises."""
        with suppress(Exception):
            if self._runner is not None and self._client is not None:
                self._runner.run(self._client.aclose())
        with suppress(Exception):
            if self._runner is not None:
                self._runner.close()
        self._runner = self._client = self._route = None

    def _counted(self) -> Written:
        """Return what became of the chunk's records: counts and rejects."""
        written = Written()
        for job in self._jobs:
            if job.fate == "written":
                written.written += 1
            elif job.fate == "unchanged":
                written.unchanged += 1
            elif job.fate == "rejected":
                written.rejected.append(job.reject)
            else:
                written.failed.append(job.reject)
        return written

    def _pass_by(
        self, connection: Connection, route: Route, jobs: Sequence[Job], *, durable: bool
    ) -> None:
        """Let no later part of the reading take these records' rows for its own."""
        rows = [job.held for job in jobs if job.held.identity and not job.held.met]
        if durable and not self._keyed:
            route.journal.drop(connection, [held for held in rows if held.pending is None])
            rows = [held for held in rows if held.pending is not None]
        route.journal.pass_by(connection, rows, route.run)

    def _jobs_of(self, batches: Sequence[Batch], identities: Identities) -> list[Job]:
        return jobs_of(
            batches,
            self._push.key,
            self._push.version,
            identities,
            keyed=self._keyed,
            mapped=self._target.beside.mapped,
        )

    async def _opened(self, run: RunIdentity) -> Route:
        beside, delivery = self._target.beside, self._target.delivery()
        context = MappingContext(run.started or _NEVER)
        self._client = ApiClient(self._api(delivery, run), retry=beside.retry, errors=beside.errors)
        sender = Sender(self._client, Heard(delivery.response, "$", context, delivery.api.limits))
        lookup = delivery.outcomes.lookup
        look_up = self._composer(Sending(lookup.path, lookup), run) if lookup else None
        outcomes = Outcomes(delivery.outcomes, sender, look_up, context)
        return self._routed(run, delivery, Journal(Ledger(), self._stream), sender, outcomes)

    def _routed(
        self,
        run: RunIdentity,
        delivery: Delivery,
        journal: Journal,
        sender: Sender,
        outcomes: Outcomes,
    ) -> Route:
        update, batch = delivery.update, delivery.create.batch
        return Route(
            journal=journal,
            sender=sender,
            create=self._composer(delivery.create, run),
            update=None if update is None else self._composer(update, run),
            outcomes=outcomes,
            identities=Identities(self._stream, _template(delivery), keyed=self._keyed),
            health=Health(),
            delivery=delivery,
            run=run.run_id,
            ordered=bool(self._push.key),
            keyed=self._keyed,
            size=batch.size if batch else 1,
        )

    def _api(self, delivery: Delivery, run: RunIdentity) -> RestApi:
        started = run.started or _NEVER
        scope = {"timestamp": started.isoformat(), **self._target.beside.variables}
        return filled_api(delivery.api, scope, f"push.to.api of {run.integration}")

    def _composer(self, sending: Sending, run: RunIdentity) -> Composer:
        return Composer(sending, self._target.beside.variables, run.started or _NEVER)


def _template(delivery: Delivery) -> str:
    update = "" if delivery.update is None else delivery.update.told
    return f"{delivery.create.told}\0{update}"
