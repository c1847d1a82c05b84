"""Streams: order, back-pressure, failure downstream, and stages that always end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from astrio.tasks.streaming import Chain, Stream
from astrio.tasks.tuning import WAITING_BYTES


async def numbers(count: int, seen: list[int] | None = None) -> AsyncGenerator[int, None]:
    for number in range(1, count + 1):
        if seen is not None:
            seen.append(number)
        yield number


async def doubled(source: Stream[int]) -> AsyncGenerator[int, None]:
    async for number in source:
        yield number * 2


async def failing(source: Stream[int], at: int) -> AsyncGenerator[int, None]:
    async for number in source:
        if number == at:
            raise ValueError("broken stage")
        yield number


async def test_items_arrive_in_order_through_several_stages() -> None:
    async with Chain() as chain:
        first = await chain.stream(numbers(50))
        second = await chain.stream(doubled(first))
        assert [number async for number in second] == [2 * n for n in range(1, 51)]


async def test_an_empty_producer_makes_an_empty_stream() -> None:
    async with Chain() as chain:
        assert [number async for number in await chain.stream(numbers(0))] == []


async def test_a_slow_consumer_holds_back_its_producer() -> None:
    produced: list[int] = []
    async with Chain() as chain:
        stream = await chain.stream(numbers(100, produced))
        await asyncio.sleep(0.05)
        assert len(produced) <= 4
        await anext(stream)
        await asyncio.sleep(0.05)
        assert len(produced) <= 5


@dataclass
class Sized:
    size: int


async def sized(sizes: list[int], seen: list[int]) -> AsyncGenerator[Sized, None]:
    for size in sizes:
        seen.append(size)
        yield Sized(size)


async def test_large_pages_wait_one_at_a_time() -> None:
    seen: list[int] = []
    async with Chain() as chain:
        stream = await chain.stream(sized([WAITING_BYTES] * 5 + [1] * 5, seen))
        await asyncio.sleep(0.05)
        assert len(seen) <= 2, "one that waits, and one that is not let in"
        assert [each.size async for each in stream] == [WAITING_BYTES] * 5 + [1] * 5


async def test_items_before_a_failure_arrive_and_then_the_failure_itself() -> None:
    got: list[int] = []
    async with Chain() as chain:
        broken = await chain.stream(failing(await chain.stream(numbers(9)), at=4))
        with pytest.raises(ValueError, match="broken stage"):
            async for number in broken:
                got.append(number)
    assert got == [1, 2, 3]


async def test_a_failure_before_the_first_item_is_raised_where_the_stream_is_made() -> None:
    async with Chain() as chain:
        first = await chain.stream(numbers(9))
        with pytest.raises(ValueError, match="broken stage"):
            await chain.stream(failing(first, at=1))


async def test_leaving_early_lets_every_stage_return_by_itself() -> None:
    ended: list[str] = []

    async def endless(stopping: asyncio.Event) -> AsyncGenerator[int, None]:
        number = 0
        while not stopping.is_set():
            yield (number := number + 1)
        ended.append("source")

    async def stage(source: Stream[int]) -> AsyncGenerator[int, None]:
        async for number in source:
            yield number
        ended.append("stage")

    async with Chain() as chain:
        stream = await chain.stream(stage(await chain.stream(endless(chain.stopping))))
        await anext(stream)
    assert sorted(ended) == ["source", "stage"]


async def test_a_producer_that_does_not_return_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def stuck() -> AsyncGenerator[int, None]:
        yield 1
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with Chain(patience=0.05) as chain:
        stream = await chain.stream(stuck())
        await anext(stream)
    assert cancelled.is_set()


async def test_the_link_gets_the_first_item_and_its_stream() -> None:
    linked: list[tuple[int, Stream[int]]] = []
    async with Chain(link=lambda item, stream: linked.append((item, stream))) as chain:
        stream = await chain.stream(numbers(3))
        assert linked == [(1, stream)]
