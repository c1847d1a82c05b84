"""One request with the records it carries: an intent before it, an outcome for each after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.destinations.api.composer import Composer
from astrio.tasks.destinations.api.held import Held
from astrio.tasks.destinations.api.ink import Ink, Row
from astrio.tasks.destinations.api.jobs import UNKNOWN, Job
from astrio.tasks.destinations.api.outcomes import Found, Outcome
from astrio.tasks.destinations.api.route import Route
from astrio.tasks.destinations.api.sender import Answered
from astrio.tasks.http.request import FilledRequest

LOST = "no answer to an earlier request was seen, and nothing tells whether the API carried it out"
_UNTOLD = "the look-up did not tell whether the API carried it out"


@dataclass(frozen=True)
class Parcel:
    """A request, and what it carries.

    Attributes:
        jobs: the records.
        items: what each is within the request.
        request: ready to be sent.
        before: what the journal held of each record before this was on its way.
    """

    jobs: list[Job]
    items: list[Any]
    request: FilledRequest
    before: list[Held]


class Parcels:
    """Sends the requests of one chunk.

    Attributes:
        fresh: rows of the journal that were accepted within this chunk.
    """

    def __init__(self, route: Route) -> None:
        """Take what the run's requests have in common."""
        self._route = route
        self._ink = Ink(route.journal.keep)
        self.fresh: set[str] = set()

    async def send(self, jobs: Sequence[Job]) -> None:
        """Send records in one request, and settle each of them."""
        if self._route.health.fatal is None:
            parcel = self.prepared(jobs)
            if parcel is not None:
                await self.note([parcel])
                await self.dispatch(parcel)

    def prepared(self, jobs: Sequence[Job]) -> Parcel | None:
        """Return the request that carries these records; None: it can carry none of them."""
        earlier = {id(job): copy(job.held) for job in jobs}
        carried = self._composed(jobs)
        made = self._request(carried) if carried else None
        if made is None:
            return None
        request, token = made
        kept = [job for job, _ in carried]
        for job in kept:
            job.held.carried(token, len(kept), self._route.run)
        items = [item.body if isinstance(item, FilledRequest) else item for _, item in carried]
        return Parcel(kept, items, request, [earlier[id(job)] for job in kept])

    async def note(self, parcels: Iterable[Parcel]) -> None:
        """Write down what is about to be sent, and what became of what was sent before."""
        await self._ink.write(self._rows(job for parcel in parcels for job in parcel.jobs))

    async def dispatch(self, parcel: Parcel) -> None:
        """Send what is noted, unless nothing more is to be sent; settle each record."""
        if self._route.health.fatal is not None:
            for job, held in zip(parcel.jobs, parcel.before, strict=True):
                job.held.take_back(held)  # else it would be in doubt whether it was sent
            self._keep(parcel.jobs)
            return
        self._route.watch(parcel.jobs, parcel.request)
        answered = await self._route.sender.send(parcel.request)
        self._route.health.note(answered)
        await self._settle(parcel, answered)

    async def close(self) -> None:
        """Write down what is not yet."""
        await self._ink.write()

    async def ask(self, job: Job) -> None:
        """Ask the API whether it has what was on its way; the job is settled if that is all."""
        found = await self._look_up(job)
        if found is None:
            self.doubt(job, _UNTOLD)
            self._keep([job])
        elif found.there:
            same = job.held.pending == job.content
            self._accept(job, found.returned)
            self._keep([job])
            if same:
                job.end("written")

    def doubt(self, job: Job, words: str) -> None:
        """Settle a job whose outcome nobody knows; it stays in the journal."""
        job.held.unknown = True
        job.end("failed", f"{UNKNOWN}: {words[:1].lower()}{words[1:]}", "unknown")

    async def _look_up(self, job: Job) -> Found | None:
        held = job.held
        return await self._route.outcomes.look_up(job.record, held.token or "", held.returned)

    def _composed(self, jobs: Sequence[Job]) -> list[tuple[Job, Any]]:
        """Return the jobs, each with its request, or with what it is within a batch."""
        carried: list[tuple[Job, Any]] = []
        for job in jobs:
            token, composer = self._token(job), self._composer(job)
            try:
                if self._batched:
                    made = composer.item(job.record, token)
                else:
                    made = composer.request(job.record, token, job.held.returned)
            except RecordRejectedError as error:
                job.end("rejected", error.message, "request")
                continue
            job.held.intend(job.content, job.version, token)
            carried.append((job, made))
        return carried

    def _request(self, carried: Sequence[tuple[Job, Any]]) -> tuple[FilledRequest, str] | None:
        """Return the request and its idempotency key; None: it cannot be made."""
        jobs = [job for job, _ in carried]
        tokens = [job.held.token or "" for job in jobs]
        if not self._batched:
            return carried[0][1], tokens[0]
        before = {job.held.request for job in jobs}
        same = before.pop() if len(before) == 1 and jobs[0].held.members == len(jobs) else None
        token = same or self._route.identities.token("batch", *tokens)
        try:
            return self._route.create.batch([item for _, item in carried], token), token
        except RecordRejectedError as error:
            for job in jobs:
                job.held.refuse()
                job.end("rejected", error.message, "request")
            return None

    @property
    def _batched(self) -> bool:
        return self._route.delivery.create.batch is not None

    def _composer(self, job: Job) -> Composer:
        create, update = self._route.create, self._route.update
        return update if update is not None and job.held.content else create

    def _token(self, job: Job) -> str:
        """Return the record's idempotency key: the one it was sent with before, if it was."""
        held, identities = job.held, self._route.identities
        if held.pending == job.content and held.token:
            return held.token
        if self._route.keyed:
            return identities.token(held.identity, job.content, str(held.sends))
        return identities.token(self._route.run, job.position, job.content)

    async def _settle(self, parcel: Parcel, answered: Answered) -> None:
        jobs, items = parcel.jobs, parcel.items
        whole = answered.state in ("refused", "too_large") and len(jobs) > 1
        told = self._route.outcomes.of_items(answered, items)
        if told is None and whole:
            await self._split(jobs, too_large=answered.state == "too_large")
            return
        told = told or self._route.outcomes.of_all(answered, len(jobs))
        doubtful = []
        for job, outcome, before in zip(jobs, told, parcel.before, strict=True):
            if outcome.state == "unknown":
                doubtful.append((job, outcome.words))
            else:
                self._note(job, outcome, before, sent=answered.sent)
        self._keep(jobs)
        for job, words in doubtful:
            await self._find_out(job, words)

    def _note(self, job: Job, outcome: Outcome, before: Held, *, sent: bool) -> None:
        if outcome.state == "accepted":
            self._accept(job, outcome.returned)
            job.end("written")
            return
        if outcome.state != "faulty":
            job.held.refuse()
        elif not sent:
            job.held.take_back(before)  # an earlier request may have been carried out
        job.end("failed", outcome.words)

    async def _find_out(self, job: Job, words: str) -> None:
        """Ask for a record whose outcome is unknown, where the file says how.

        That the API does not have it may only mean that it is still at work.
        """
        if self._route.delivery.outcomes.lookup is not None:
            found = await self._look_up(job)
            if found is not None and found.there:
                self._accept(job, found.returned)
                self._keep([job])
                job.end("written")
                return
        self.doubt(job, words)
        self._keep([job])

    async def _split(self, jobs: Sequence[Job], *, too_large: bool) -> None:
        """Send the two halves of a batch that was refused as a whole."""
        for job in jobs:
            job.held.refuse()
        self._keep(jobs)
        half = (len(jobs) + 1) // 2
        if too_large:
            self._route.size = min(self._route.size, half)
        await self.send(jobs[:half])
        await self.send(jobs[half:])

    def _accept(self, job: Job, returned: dict[str, Any] | None) -> None:
        job.new = job.held.content is None
        job.held.accept(returned, self._route.run)
        self.fresh.add(job.held.id)

    def _keep(self, jobs: Iterable[Job]) -> None:
        """Let outcomes be written before the next request is sent, or the chunk ends."""
        self._ink.later(self._rows(jobs))

    def _rows(self, jobs: Iterable[Job]) -> list[Row]:
        return [self._route.journal.row_of(job.held) for job in jobs]
