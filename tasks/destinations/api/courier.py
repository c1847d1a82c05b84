"""Sending the records of a chunk: several at once, those of one key in their order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

import msgspec

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.api.deciding import Decider, Step
from astrio.tasks.destinations.api.jobs import Job
from astrio.tasks.destinations.api.parcels import LOST, Parcels
from astrio.tasks.destinations.api.route import Route

_WITH_KEY, _WITHOUT_KEY = 4, 1
Work = Callable[[], Awaitable[None]]


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
        if self._route.delivery.create.batch is None:
            await self._at_once(partial(self._one_by_one, lane) for lane in lanes.values())
        else:
            # No batch holds a key twice, and none begins before what came earlier is settled.
            for depth in range(max(map(len, lanes.values()), default=0)):
                await self._in_batches(
                    [lane[depth] for lane in lanes.values() if depth < len(lane)]
                )
        health = self._route.health
        health.close()
        if health.fatal is not None:
            raise health.fatal

    async def _at_once(self, works: Iterable[Work]) -> None:
        """Do several works at once; one that is begun is always finished."""
        left, health = iter(works), self._route.health

        async def work() -> None:
            for each in left:
                if health.fatal is not None:
                    return
                try:
                    await each()
                except AstrioError as error:
                    health.fatal = health.fatal or error

        chosen = self._route.delivery.outcomes.concurrency
        count = chosen or (_WITH_KEY if self._route.ordered else _WITHOUT_KEY)
        for ended in await asyncio.gather(*(work() for _ in range(count)), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _one_by_one(self, lane: Sequence[Job]) -> None:
        for job in lane:
            if self._route.health.fatal is None:
                await self._one(job, self._decider.step(job))

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
