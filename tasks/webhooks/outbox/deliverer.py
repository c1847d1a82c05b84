"""The deliverer: claims what is due, sends it, marks what became of it, for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from astrio.blocks.errors import AstrioError, ConfigurationError, LeaseHeldError
from astrio.blocks.redaction import redact
from astrio.tasks.http.addresses import Lookup
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.clock import SteadyClock
from astrio.tasks.webhooks.outbox.desk import Asked, Desk, Done
from astrio.tasks.webhooks.outbox.health import Health, Notice
from astrio.tasks.webhooks.outbox.queue import Claimed, Marked, State
from astrio.tasks.webhooks.outbox.receiver import Receiver
from astrio.tasks.webhooks.outbox.receivers import Receivers
from astrio.tasks.webhooks.outbox.schedule import Schedule
from astrio.tasks.webhooks.outbox.sender import Sender

T = TypeVar("T")
Hear = Callable[[Notice], None]
MOST: Final = 1024
POLL: Final = 0.2
SHORT_POLL: Final = 0.02
SETTINGS_EVERY: Final = 2.0
MANY: Final = 100
PREPARED_FOR: Final = 60.0
"""Seconds after which `now()` in a filter is another."""
_GATHER: Final = 0.004
_LONGEST_PAUSE: Final = 5.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a deliverer has done since it began."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0


class Deliverer:
    """Delivers the outbox of a ledger; run it in one event loop.

    Args:
        ledger: astrio's own database.
        hear: is told what people should hear of: dead letters, warnings, disabled targets.
        most: deliveries under way at once, to all targets together.
        lookup: resolves names; the operating system if not given.
        wall: the real time, epoch seconds.
        chance: a number from 0 to 1, at random.
        desk: its work on the ledger.
    """

    def __init__(  # noqa: PLR0913 (each is passed in by some test)
        self,
        ledger: Ledger | None = None,
        *,
        hear: Hear | None = None,
        most: int = MOST,
        lookup: Lookup | None = None,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        desk: Desk | None = None,
    ) -> None:
        self._clock = SteadyClock(wall)
        self._desk = desk or Desk(ledger or Ledger(), self._clock)
        self._sender = Sender(lookup, wall)
        self._hear = hear or _told_nobody
        self._most = most
        self._chance = chance
        self._receivers = Receivers()
        self._marks: list[Marked] = []
        self._health: dict[str, Health] = {}
        self._sound: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._settings_at = 0.0
        self._claim_at = 0.0
        self._routed_by: Any = None
        self._prepared_at = 0.0
        self._turns = 0
        self.tally = Tally()

    async def run(self, stopping: asyncio.Event) -> Tally:
        """Deliver until `stopping` is set; what is under way then is finished and marked.

        Raises:
            LeaseHeldError: another deliverer is at work on SQLite.
            ConfigurationError: the ledger cannot be used.
        """
        with ThreadPoolExecutor(1, "outbox") as threads:
            self._threads = threads
            await self._in_thread(self._desk.enter)
            try:
                await self._work(stopping)
                await self._finish()
            finally:
                await self._close()
        return self.tally

    async def _work(self, stopping: asyncio.Event) -> None:
        pause = POLL
        while not stopping.is_set():
            try:
                done = await self._turn()
                busy = done.claimed or done.routed
                pause = SHORT_POLL if busy else min(pause * 2, POLL)
            except (ConfigurationError, LeaseHeldError):
                raise
            except AstrioError as error:
                _log.warning("The outbox waits for its ledger: %s", redact(str(error)))
                pause = min(max(pause, POLL) * 2, _LONGEST_PAUSE)
                done = Done()
            if len(done.claimed) < self._room() and not done.routed:
                await self._rest(stopping, pause)

    async def _turn(self) -> Done:
        """Do one turn in the ledger, and begin what it has claimed."""
        await self._renew()
        marks, self._marks = self._marks, []
        health, self._health = self._health, {}
        began = time.monotonic()
        room = self._room() if began >= self._claim_at else 0
        self._turns += 1
        slots = self._receivers.slots(self._clock(), self._turns * 7) if room else {}
        gone = {name for name, each in health.items() if each.gone}
        slots = {name: free for name, free in slots.items() if name not in gone}
        try:
            done = await self._in_thread(self._desk.turn, Asked(marks, health, slots, room))
            if len(slots) > MANY:  # each costs a look, so they are not looked at all the time
                now = time.monotonic()
                self._claim_at = now + min(now - began, POLL)
        except AstrioError:
            self._marks[:0] = marks
            later = self._health
            self._health = health | {
                name: health[name].then(each) if name in health else each
                for name, each in later.items()
            }
            raise
        if gone:
            self._settings_at = 0.0  # they are disabled now, which the next turn is to see first
        self._begin(done.claimed)
        for notice in done.notices:
            self._hear(notice)
        return done

    async def _renew(self) -> None:
        now = time.monotonic()
        if now < self._settings_at:
            return
        self._settings_at = now + SETTINGS_EVERY
        rows, triggers = await self._in_thread(self._desk.settings)
        await asyncio.to_thread(self._receivers.renew, rows, now)
        if held := self._receivers.held_up():
            await self._in_thread(self._desk.hold_up, held)
        forms = self._receivers.forms()
        if (triggers, forms) != self._routed_by or now >= self._prepared_at + PREPARED_FOR:
            self._routed_by, self._prepared_at = (triggers, forms), now
            self._desk.router.use(triggers, forms)

    def _room(self) -> int:
        return self._most - len(self._tasks)

    def _begin(self, claimed: Sequence[Claimed]) -> None:
        for each in claimed:
            receiver = self._receivers.ready.get(each.target)
            health = self._health.get(each.target)
            if receiver is None or (health and health.gone):  # disabled in this very moment
                self._marks.append(Marked(each, None, State.PENDING, 0.0, self._clock()))
                continue
            self._receivers.gate(each.target).begin()
            task = asyncio.create_task(self._deliver(each, receiver))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, claimed: Claimed, receiver: Receiver) -> None:
        at = self._clock()
        answer: Answer | None = None
        try:
            answer = await self._sender.send(receiver, claimed.id, self._body(claimed))
        except ConfigurationError as error:
            answer = Answer(None, error.message)
        finally:
            self._receivers.gate(claimed.target).end(answer, self._clock())
            self._note(claimed, receiver, answer, at)
            self._ended.set()

    def _body(self, claimed: Claimed) -> bytes:
        unseal = self._desk.sealer.unseal
        if claimed.own is not None:
            return unseal(claimed.own, claimed.id.encode())
        return unseal(claimed.payload, claimed.event_id.encode())

    def _note(self, claimed: Claimed, receiver: Receiver, answer: Answer | None, at: float) -> None:
        """Remember what has become of a delivery until the next turn writes it down."""
        if answer is None:
            self._marks.append(Marked(claimed, None, State.PENDING, 0.0, at))
            return
        state, wait = judged(claimed.attempts + 1, receiver.schedule, answer, self._chance)
        excerpt = answer.excerpt.encode()
        sealed = self._desk.sealer.seal(excerpt, claimed.id.encode()) if excerpt else None
        self._marks.append(Marked(claimed, answer, state, wait, at, sealed))
        self.tally.delivered += answer.delivered
        self.tally.failed += not answer.delivered
        self.tally.dead += state is State.DEAD
        self._note_health(claimed.target, answer, at)

    def _note_health(self, target: str, answer: Answer, at: float) -> None:
        if answer.delivered and target in self._sound:
            return  # the ledger knows
        (self._sound.add if answer.delivered else self._sound.discard)(target)
        health = self._health.setdefault(target, Health())
        health.breaker = self._receivers.gate(target).breaker
        health.note(delivered=answer.delivered, gone=answer.gone, at=at)

    async def _rest(self, stopping: asyncio.Event, pause: float) -> None:
        """Wait until there is something to do: an end to mark, or the next look."""
        self._ended.clear()
        if not self._marks:
            waits = [asyncio.ensure_future(each.wait()) for each in (self._ended, stopping)]
            await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()
        if self._tasks and not stopping.is_set():
            await asyncio.sleep(_GATHER)  # so that a transaction holds many

    async def _finish(self) -> None:
        """Let what is under way end, and mark it."""
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        if self._marks or self._health:
            await self._in_thread(self._desk.turn, Asked(self._marks, self._health))

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self._sender.close()
        with suppress(AstrioError):
            await self._in_thread(self._desk.leave)

    async def _in_thread(self, work: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *values)


def judged(
    attempts: int, schedule: Schedule, answer: Answer, chance: Callable[[], float]
) -> tuple[State, float]:
    """Return what becomes of a delivery after so many attempts, and when it is tried again.

    Args:
        attempts: how many there were, this one included.
        schedule: of the target.
        answer: the end of this one.
        chance: a number from 0 to 1, at random.
    """
    if answer.delivered:
        return State.DELIVERED, 0.0
    wait = schedule.after(attempts, chance, answer.retry_after)
    if schedule.ends_with(answer.status):
        wait = None
    if wait is not None:
        return State.PENDING, wait
    if answer.gone:  # the target is disabled, and keeps its events
        return State.PENDING, schedule.delays[-1]
    return State.DEAD, 0.0


def _told_nobody(_: Notice) -> None:
    """Let a notice go unheard."""
