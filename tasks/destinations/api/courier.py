"""Sending the records of a chunk: several at once, those of one key in their order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice, repeat

import msgspec

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.api.deciding import Decider, Step
from astrio.tasks.destinations.api.jobs import Job
from astrio.tasks.destinations.api.parcels import LOST, Parcel, Parcels
from astrio.tasks.destinations.api.route import Route

_WITH_KEY, _WITHOUT_KEY = 4, 1
_AHEAD = 16  # requests of one worker whose intents are noted in one transaction
Work = Callable[[], Awaitable[bool | None]]


class Courier:
    """Sends the records of one chunk."""

    def __init__(self, route: Route, decider: Decider) -> None:
        """Take what the run's requests have in common, and what decides on each record."""
        self._route = route
        self._decider = decider
        self._parcels = Parcels(route)

    async def deliver(self, jobs: Sequence[Job]) -> None:
        """Send what is to be sent; afterwards each job has its fate.

        Raises:
            AstrioError: it makes no sense to go on; what was sent is in the journal.
        """
        lanes: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            lanes[job.lane].append(job)
        try:
            await self._deliver(list(lanes.values()))
        finally:
            await self._parcels.close()
        health = self._route.health
        health.close()
        if health.fatal is not None:
            raise health.fatal

    async def _deliver(self, lanes: Sequence[list[Job]]) -> None:
        if self._route.delivery.create.batch is None:
            left = iter(lanes)
            await self._at_once(repeat(partial(self._next_lanes, left)))
            return
        # No batch holds a key twice, and none begins before what came earlier is settled.
        for depth in range(max(map(len, lanes), default=0)):
            await self._in_batches([lane[depth] for lane in lanes if depth < len(lane)])

    async def _at_once(self, works: Iterable[Work]) -> None:
        """Do several works at once until one of them says that there is nothing left.

        One that is begun is always finished.
        """
        left, health = iter(works), self._route.health

        async def work() -> None:
            for each in left:
                try:
                    if health.fatal is not None or await each() is False:
                        return
                except AstrioError as error:
                    health.fatal = health.fatal or error

        chosen = self._route.delivery.outcomes.concurrency
        count = chosen or (_WITH_KEY if self._route.ordered else _WITHOUT_KEY)
        for ended in await asyncio.gather(*(work() for _ in range(count)), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _next_lanes(self, left: Iterator[list[Job]]) -> bool:
        """Send what comes next, its intents noted together where sending twice does no harm."""
        lanes = list(islice(left, _AHEAD if self._harmless else 1))
        parcels: list[Parcel | None] = []
        for lane in lanes:
            step = self._decider.step(lane[0])
            ready = step in ("send", "again")
            parcels.append(self._parcels.prepared(lane[:1]) if ready else None)
        noted = [parcel for parcel in parcels if parcel is not None]
        if noted:
            await self._parcels.note(noted)
        for lane, parcel in zip(lanes, parcels, strict=True):
            if parcel is not None:
                await self._parcels.dispatch(parcel)
            for job in lane:
                if job.fate is None and self._route.health.fatal is None:
                    await self._one(job, self._decider.step(job))
        return bool(lanes)

    @property
    def _harmless(self) -> bool:
        kinds = (self._route.delivery.create, self._route.delivery.update)
        return all(kind is None or kind.harmless for kind in kinds)

    async def _one(self, job: Job, step: Step) -> None:
        if step == "ask":
            await self._parcels.ask(job)
            if job.fate is not None:
                return
            step = self._decider.step(job)
        if step in ("send", "again", "ask"):
            await self._parcels.send([job])
        else:
            self._leave(job, step)

    async def _in_batches(self, jobs: Sequence[Job]) -> None:
        waiting: list[Job] = []
        asked: list[Job] = []
        groups: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            step = self._decider.step(job)
            if step in ("send", "again"):
                waiting.append(job)
            elif step == "ask":
                asked.append(job)
            elif step == "regroup" and job.held.request:
                groups[job.held.request].append(job)
            else:
                self._leave(job, step)
        await self._at_once(partial(self._one, job, "ask") for job in asked)
        again = list(self._whole(groups.values()))
        batches = chain(again, self._cut(waiting))  # cut one by one: answers tell what is too large
        await self._at_once(partial(self._parcels.send, batch) for batch in batches)

    def _whole(self, groups: Iterable[list[Job]]) -> Iterator[list[Job]]:
        """Yield batches that were on their way and can be sent again as they were."""
        for group in groups:
            if len(group) == group[0].held.members:
                yield group
            else:
                for job in group:
                    self._leave(job, "unknown")

    def _cut(self, jobs: Iterable[Job]) -> Iterator[list[Job]]:
        """Yield batches, none larger than the file, or an answer, has said."""
        batch = self._route.delivery.create.batch
        limit = None if batch is None else batch.max_bytes
        parcel: list[Job] = []
        size = 0
        for job in jobs:
            more = len(msgspec.json.encode(job.record)) + 1 if limit else 0
            full = len(parcel) >= self._route.size or (limit is not None and size + more > limit)
            if parcel and full:
                yield parcel
                parcel, size = [], 0
            parcel.append(job)
            size += more
        if parcel:
            yield parcel

    def _leave(self, job: Job, step: Step) -> None:
        """Settle a record for which nothing is sent."""
        held = job.held
        known = step == "known" and held.id not in self._parcels.fresh and not held.met
        if step in ("unknown", "regroup"):
            self._parcels.doubt(job, LOST)
        elif known and held.run == self._route.run:
            job.end("written")  # by this run, before it was interrupted
        else:
            job.end("unchanged")
