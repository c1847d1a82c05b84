"""Several streams read at once, and given in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")
_DEPTH = 2


@dataclass(frozen=True, slots=True)
class _End:
    """A stream is over, by this error or without one."""

    error: BaseException | None = None


class Ordered(Generic[K, T]):
    """Reads a few streams at once, each some items ahead, and yields one after the other."""

    def __init__(
        self, keys: AsyncIterator[K], opened: Callable[[K], AsyncGenerator[T, None]], at_once: int
    ) -> None:
        """Take what names the streams, in order; what opens one; and how many are read at once."""
        self._keys = keys
        self._opened = opened
        self._at_once = at_once
        self._running: deque[tuple[K, asyncio.Queue[T | _End], asyncio.Task[None]]] = deque()

    async def items(self) -> AsyncGenerator[tuple[K, T | None], None]:
        """Yield each stream's key with each of its items, and at its end with None.

        Raises:
            Exception: what a stream raises, where its turn has come.
        """
        try:
            await self._start()
            while self._running:
                key, queue, _ = self._running[0]
                item = await queue.get()
                if not isinstance(item, _End):
                    yield key, item
                    continue
                if item.error is not None:
                    raise item.error
                self._running.popleft()
                yield key, None
                await self._start()
        finally:
            tasks = [task for _, _, task in self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self) -> None:
        while len(self._running) < self._at_once:
            try:
                key = await anext(self._keys)
            except StopAsyncIteration:
                return
            queue: asyncio.Queue[T | _End] = asyncio.Queue(_DEPTH)
            task = asyncio.create_task(_pumped(self._opened(key), queue))
            self._running.append((key, queue, task))


async def _pumped(stream: AsyncGenerator[T, None], queue: asyncio.Queue[T | _End]) -> None:
    try:
        async with aclosing(stream):
            async for item in stream:
                await queue.put(item)
    except Exception as error:  # noqa: BLE001 (raised where the stream's turn has come)
        await queue.put(_End(error))
    else:
        await queue.put(_End())
