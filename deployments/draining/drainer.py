"""From the inbox to runs: events are claimed in batches, carried out, and marked. Free of Prefect.

An event is done when every integration of its source is through with it. What is no fault of the
events (the destination or Prefect is down, a variable is missing) is tried again for ever; a batch
that makes its run crash is tried again in ever smaller groups, until the one event that does it is
alone, and is given up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from astrio.blocks.errors import AstrioError, FatalError, ImbalanceError
from astrio.blocks.redaction import redact
from astrio.flows.integration import Integration
from astrio.tasks.webhooks.inbox.claiming import Claims
from astrio.tasks.webhooks.inbox.event import Event
from astrio.tasks.webhooks.inbox.looking import due_sources

MOST_EVENTS: Final = 2_000
MOST_ATTEMPTS: Final = 6
_SHRINK: Final = 8  # what failed is tried again in groups an eighth of the size
_POLL_SECONDS: Final = 0.1
_LONGEST_PAUSE: Final = 60.0

Carry = Callable[[Integration, Sequence[str]], Awaitable[None]]


class Sources(Protocol):
    """The integrations of each webhook source, by the source's name."""

    def current(self) -> Mapping[str, Sequence[Integration]]:
        """Return them as the files have them now."""
        ...


@dataclass(slots=True)
class _Pause:
    """How long a source rests after failures that are not its events' fault."""

    seconds: float = 0.5
    until: float = 0.0

    def grow(self, now: float) -> float:
        self.seconds = min(self.seconds * 2, _LONGEST_PAUSE)
        self.until = now + self.seconds
        return self.until


class Drainer:
    """Works off the inbox until it is told to stop; several may work on one ledger."""

    def __init__(  # noqa: PLR0913 (what it needs beside the work is given by name)
        self,
        sources: Sources,
        carry: Carry,
        *,
        claims: Claims | None = None,
        arrived: Callable[[Event], None] = lambda _: None,
        tell: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take what there is to do, and who does it.

        Args:
            sources: the integrations of each source.
            carry: runs an integration on events by their ids; raises if the run fails.
            claims: the hold on the inbox.
            arrived: called with each event that is claimed for the first time.
            tell: shows a line to the user.
            now: tells the time, epoch seconds.
        """
        self._sources = sources
        self._carry = carry
        self._claims = claims or Claims()
        self._arrived = arrived
        self._tell = tell
        self._now = now
        self._pauses: dict[str, _Pause] = {}
        self._told: dict[str, str] = {}
        self._working: dict[str, asyncio.Task[None]] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Drain until `stopping` is set; batches that are under way are finished first.

        Raises:
            AstrioError: the inbox cannot be read.
        """
        try:
            while not stopping.is_set():
                await self.begin()
                try:
                    await asyncio.wait_for(stopping.wait(), _POLL_SECONDS)
                except TimeoutError:
                    continue
        finally:
            await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def begin(self) -> None:
        """Start a batch of each source that has events due, and none under way."""
        integrations = self._sources.current()
        idle = [name for name in integrations if self._is_idle(name)]
        if not idle:
            return
        for name in await asyncio.to_thread(due_sources, idle, now=self._now):
            work = self._work(name, integrations[name])
            self._working[name] = asyncio.create_task(work)

    async def settle(self) -> None:
        """Wait for the batches under way."""
        await asyncio.gather(*self._working.values())

    def _is_idle(self, name: str) -> bool:
        working = self._working.get(name)
        if working is not None and not working.done():
            return False
        return self._now() >= self._pauses.setdefault(name, _Pause()).until

    async def _work(self, name: str, integrations: Sequence[Integration]) -> None:
        events = await asyncio.to_thread(self._claims.claim, name, MOST_EVENTS)
        holding = asyncio.create_task(self._hold([event.id for event in events]))
        for event in events:
            if event.attempts == 1 and not event.replays:
                self._arrived(event)
        try:
            for size, alike in by_size(events).items():
                await self._groups(name, integrations, alike, size)
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _groups(
        self, name: str, integrations: Sequence[Integration], events: Sequence[Event], least: int
    ) -> None:
        """Carry events out in groups, the first of `least` events, later ones larger.

        What was tried beside an event that crashes its run is soon done again in large groups.
        """
        size = least
        while events:
            group, events = events[:size], events[size:]
            fine = await self._group(name, integrations, group)
            size = min(size * 2, MOST_EVENTS) if fine else least

    async def _group(
        self, name: str, integrations: Sequence[Integration], group: Sequence[Event]
    ) -> bool:
        """Carry a group out; tell whether its events are done."""
        ids = [event.id for event in group]
        try:
            for integration in integrations:
                left = [each.id for each in group if integration.name not in each.done_by]
                if left:
                    await self._carry(integration, left)
                    if len(integrations) > 1:
                        await self._mark(self._claims.through, left, integration.name)
        except Exception as error:  # noqa: BLE001 (whatever it is, the events must not be lost)
            await self._failed(name, group, error)
            return False
        await self._mark(self._claims.done, ids)
        self._pauses[name] = _Pause()
        self._told.pop(name, None)
        return True

    async def _hold(self, ids: Sequence[str]) -> None:
        while True:
            await asyncio.sleep(self._claims.term / 3)
            await self._mark(self._claims.extend, ids)

    async def _failed(self, name: str, group: Sequence[Event], error: Exception) -> None:
        ids, words = [event.id for event in group], redact(_words(error))
        self._say(name, words)
        blamed = is_of_the_events(error)
        if blamed and len(group) == 1 and group[0].attempts >= MOST_ATTEMPTS:
            await self._mark(self._claims.dead, ids, words)
            self._tell(f"{name}: event {ids[0]} is given up after {group[0].attempts} attempts")
            return
        retry_at = self._now() if blamed else self._pauses[name].grow(self._now())
        failed = self._claims.failed
        await asyncio.to_thread(failed, ids, words, retry_at, counted=blamed)

    def _say(self, name: str, words: str) -> None:
        """Tell each trouble once, not at every attempt."""
        if self._told.get(name) != words:
            self._tell(f"{name}: {words}")
        self._told[name] = words

    async def _mark(self, act: Callable[..., int], ids: Sequence[str], *more: str) -> None:
        await asyncio.to_thread(act, ids, *more)


def by_size(events: Sequence[Event]) -> dict[int, list[Event]]:
    """Put those together that begin in groups of the same size, the largest first.

    The more often an event was tried, the smaller its first group.
    """
    alike: dict[int, list[Event]] = {}
    for event in sorted(events, key=lambda each: each.attempts):
        size = max(MOST_EVENTS // _SHRINK ** (event.attempts - 1), 1)
        alike.setdefault(size, []).append(event)
    return alike


def is_of_the_events(error: Exception) -> bool:
    """Whether a failure may be the fault of an event: nothing else explains it."""
    if not isinstance(error, AstrioError):
        return True
    return type(error) in (AstrioError, FatalError, ImbalanceError)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, AstrioError) else f"{type(error).__name__}: {error}"
