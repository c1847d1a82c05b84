"""Group commit: requests that come while a transaction is being written share the next one.

While one group is being written, the next is verified; so with one writer half of those that wait
for their answers make a good group, with two writers a third. After a group a moment is waited for
as many, as PostgreSQL's `commit_delay` does; a request that comes alone waits for nobody.
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
    """Stores arrivals from threads of its own, which the event loop never waits for."""

    def __init__(
        self, appends: Sequence[Append], trouble: Callable[[Exception | None], object]
    ) -> None:
        """Take what stores arrivals durably, and what is told of its errors and their end.

        Args:
            appends: one for each transaction that may be written at the same time.
            trouble: is told.
        """
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._waiting: _Waiting = []
        self._work: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._groups = 0
        self._rows = 0
        self._wanted = MOST_ROWS
        self._planned: asyncio.Handle | None = None
        self._threads = [
            threading.Thread(target=self._write, args=[each], name="astrio-inbox", daemon=True)
            for each in appends
        ]
        for thread in self._threads:
            thread.start()

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
        if self._groups < len(self._threads):
            if self._planned is None:
                self._plan()
            elif len(waiting) >= self._wanted:
                self._hand_over()
        return done

    async def close(self) -> None:
        """Store what still waits, and end."""
        while self._groups or self._waiting:  # noqa: ASYNC110 (a moment, once)
            await asyncio.sleep(0.005)
        for _ in self._threads:
            self._work.put(None)  # whichever thread takes it
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _plan(self) -> None:
        """Plan when what waits is handed over to a writer that has nothing to do."""
        if self._groups:
            self._planned = self._loop.call_later(MOMENT_SECONDS, self._hand_over)
        else:
            # Not at once: what else arrives in this turn of the loop belongs to the same group.
            self._wanted = MOST_ROWS
            self._planned = self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        group, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
        if group:
            self._groups += 1
            self._rows += len(group)
            self._work.put(group)

    def _write(self, append: Append) -> None:
        while (group := self._work.get()) is not None:
            outcome: list[bool] | Exception
            try:
                outcome = append([arrival for arrival, _ in group])
            except Exception as error:  # noqa: BLE001 (told, and answered with 503; the thread goes on)
                outcome = error
            self._loop.call_soon_threadsafe(self._answer, group, outcome)

    def _answer(self, group: _Waiting, outcome: list[bool] | Exception) -> None:
        self._wanted = (self._rows + len(self._waiting)) // (len(self._threads) + 1)
        self._groups -= 1
        self._rows -= len(group)
        if len(self._waiting) >= self._wanted:
            self._hand_over()
        elif self._planned is None:
            self._planned = self._loop.call_later(MOMENT_SECONDS, self._hand_over)
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
