"""Streaming between generator tasks: bounded, overlapping, closed properly, drawn with arrows.

`Chain.stream()` pumps a generator task into a bounded buffer from the flow's own context, so that
each stage's task run is a child of the flow, all stages are at work at the same time, and a slow
consumer holds back its producer. The flow passes `astrio.tasks.arrows.draw_arrow` as the `link`,
which ties a stream to the task run that feeds it; nothing here needs Prefect.

Closing is mandatory: leaving the `Chain` ends every stream, so that each stage runs out of input
and returns (its task run is Completed); the source watches `Chain.stopping`. A stage that does not
return is cancelled in the end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from astrio.tasks.tuning import PAGES_WAITING, WAITING_BYTES

T = TypeVar("T")


class Stream(Generic[T]):
    """An async iterator over what a generator yields, a few items ahead of its one consumer.

    An exception of the producer is raised in the consumer, after the items that came before it.

    Args:
        producer: the generator; the stream closes it.
        depth: how many items may wait between producer and consumer; fewer, but one, where their
            `size` in bytes comes to more than WAITING_BYTES.
    """

    __slots__ = (
        "__weakref__",
        "_depth",
        "_failure",
        "_finished",
        "_held",
        "_items",
        "_pump",
        "_ready",
        "_room",
        "_stopping",
    )

    def __init__(self, producer: AsyncGenerator[T, Any], *, depth: int = PAGES_WAITING) -> None:
        self._items: deque[T] = deque()
        self._depth = depth
        self._held = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._stopping = False
        self._finished = False
        self._failure: Exception | None = None
        self._pump = asyncio.create_task(self._run(producer))

    async def _run(self, producer: AsyncGenerator[T, Any]) -> None:
        try:
            # To its end always: Prefect fails a generator task that is closed early.
            async for item in producer:
                await self._put(item)
        except Exception as failure:  # noqa: BLE001 (raised again in the consumer)
            self._failure = failure
        finally:
            await producer.aclose()
            self._finished = True
            self._ready.set()

    async def _put(self, item: T) -> None:
        while self._is_full() and not self._stopping:
            self._room.clear()
            await self._room.wait()
        if not self._stopping:
            self._items.append(item)
            self._held += _size(item)
            self._ready.set()

    def _is_full(self) -> bool:
        return len(self._items) >= self._depth or self._held >= WAITING_BYTES

    async def first(self) -> T | None:
        """Wait for the next item and leave it in the stream; None at the end.

        Raises:
            Exception: whatever the producer raised.
        """
        while not self._items:
            if self._failure is not None:
                raise self._failure
            if self._finished:
                return None
            self._ready.clear()
            await self._ready.wait()
        return self._items[0]

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        if await self.first() is None:
            raise StopAsyncIteration
        self._room.set()
        item = self._items.popleft()
        self._held -= _size(item)
        return item

    def stop(self) -> None:
        """End the stream: what the producer has yielded, or still yields, is dropped."""
        self._stopping = True
        self._items.clear()
        self._room.set()

    async def wait_closed(self, patience: float) -> None:
        """Wait until the producer has returned; cancel it after `patience` seconds."""
        _, pending = await asyncio.wait({self._pump}, timeout=patience)
        if pending:
            self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)


def _size(item: object) -> int:
    """Return the bytes of a page or batch; what has no size weighs nothing."""
    return getattr(item, "size", 0)


class Chain:
    """The streams of one run, closed together: `async with Chain() as chain: …`.

    Attributes:
        stopping: set when the stages are told to stop; a source waits for it beside its I/O.
        patience: seconds that a stage gets to return by itself before it is cancelled.
        link: called with a stream's first item and the stream.
    """

    def __init__(
        self, *, patience: float = 10.0, link: Callable[[Any, Stream[Any]], None] | None = None
    ) -> None:
        self.stopping = asyncio.Event()
        self.patience = patience
        self._link = link
        self._streams: list[Stream[Any]] = []

    async def stream(self, producer: AsyncGenerator[T, Any]) -> Stream[T]:
        """Start `producer`, wait for its first item, and return the stream of its items."""
        stream = Stream(producer)
        self._streams.append(stream)
        first = await stream.first()
        if first is not None and self._link is not None:
            self._link(first, stream)
        return stream

    async def __aenter__(self) -> Chain:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        for stream in self._streams:
            stream.stop()
        for stream in self._streams:
            await stream.wait_closed(self.patience)
