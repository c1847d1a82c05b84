"""Group commit: requests that come while a transaction is being written share the next one.

Half of those that are waiting for their answers at a time make a good group: while it is being
written, the other half is verified. So after a group a moment is waited for half as many, as
PostgreSQL's `commit_delay` does; a request that comes alone waits for nobody.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from astrio.tasks.webhooks.inbox.event import Arrival

MOST_ROWS: Final = 512
MOST_WAITING: Final = 8192
MOMENT_SECONDS: Final = 0.004

Append = Callable[[Sequence[Arrival]], list[bool]]
_Waiting = list[tuple[Arrival, "asyncio.Future[bool]"]]


class InboxUnavailableError(Exception):
    """The inbox cannot be written right now: the sender shall try again."""


class Committer:
    """Stores arrivals from one thread of its own, which the event loop never waits for."""

    def __init__(self, append: Append, trouble: Callable[[Exception | None], object]) -> None:
        """Take what stores arrivals durably, and what is told of its errors and their end."""
        self._append = append
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._waiting: _Waiting = []
        self._work: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._busy = False
        self._wanted = 1
        self._delay: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._write, name="astrio-inbox", daemon=True)
        self._thread.start()

    def store(self, arrival: Arrival) -> asyncio.Future[bool]:
        """Store an arrival durably.

        Returns:
            Once it is durable: whether it is new. It fails with InboxUnavailableError.

        Raises:
            InboxUnavailableError: too many wait already.
        """
        waiting = self._waiting
        if len(waiting) >= MOST_WAITING:
            raise InboxUnavailableError
        done = self._loop.create_future()
        waiting.append((arrival, done))
        if not self._busy:
            self._busy = True
            # Not at once: what else arrives in this turn of the loop belongs to the same group.
            self._loop.call_soon(self._hand_over)
        elif self._delay is not None and len(waiting) >= self._wanted:
            self._hand_over()
        return done

    async def close(self) -> None:
        """Store what still waits, and end."""
        while self._busy:  # noqa: ASYNC110 (a moment, once)
            await asyncio.sleep(0.005)
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._delay is not None:
            self._delay.cancel()
            self._delay = None
        group, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
        if group:
            self._work.put(group)
        else:
            self._busy = False

    def _write(self) -> None:
        while (group := self._work.get()) is not None:
            outcome: list[bool] | Exception
            try:
                outcome = self._append([arrival for arrival, _ in group])
            except Exception as error:  # noqa: BLE001 (told, and answered with 503; the thread goes on)
                outcome = error
            self._loop.call_soon_threadsafe(self._answer, group, outcome)

    def _answer(self, group: _Waiting, outcome: list[bool] | Exception) -> None:
        self._wanted = (len(group) + len(self._waiting)) // 2
        if len(self._waiting) >= self._wanted:
            self._hand_over()
        else:
            self._delay = self._loop.call_later(MOMENT_SECONDS, self._hand_over)
        if isinstance(outcome, Exception):
            self._trouble(outcome)
            for _, done in group:
                if not done.done():
                    done.set_exception(InboxUnavailableError())
            return
        self._trouble(None)
        for (_, done), new in zip(group, outcome, strict=True):
            if not done.done():
                done.set_result(new)
