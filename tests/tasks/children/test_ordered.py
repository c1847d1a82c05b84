from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from astrio.tasks.children.ordered import Ordered


async def each(*keys: int) -> AsyncGenerator[int, None]:
    for key in keys:
        yield key


async def numbers(key: int) -> AsyncGenerator[int, None]:
    for number in range(key):
        await asyncio.sleep(0)
        yield number


async def test_streams_are_given_one_after_the_other() -> None:
    found = [item async for item in Ordered(each(2, 0, 1), numbers, 2).items()]
    assert found == [(2, 0), (2, 1), (2, None), (0, None), (1, 0), (1, None)]


@pytest.mark.parametrize("at_once", [1, 3])
async def test_no_more_streams_than_allowed_are_read_at_once(at_once: int) -> None:
    running, most = 0, 0

    async def counted(key: int) -> AsyncGenerator[int, None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        yield key
        running -= 1

    async for _ in Ordered(each(*range(9)), counted, at_once).items():
        pass
    assert most == at_once


async def test_a_stream_that_nobody_takes_from_does_not_run_far_ahead() -> None:
    taken: list[int] = []

    async def endless(key: int) -> AsyncGenerator[int, None]:
        for number in range(1_000):
            taken.append(key)
            yield number

    stream = Ordered(each(1, 2), endless, 2).items()
    await anext(stream)
    await asyncio.sleep(0.01)
    await stream.aclose()
    assert len(taken) < 12


async def test_an_error_is_raised_where_its_turn_has_come_and_the_others_are_closed() -> None:
    closed: list[int] = []

    async def failing(key: int) -> AsyncGenerator[int, None]:
        try:
            yield key
            if key == 2:
                raise ValueError("broken")
        finally:
            closed.append(key)

    found: list[tuple[int, int | None]] = []
    with pytest.raises(ValueError, match="broken"):
        async for item in Ordered(each(1, 2, 3), failing, 3).items():
            found.append(item)
    assert found == [(1, 1), (1, None), (2, 2)]
    assert sorted(closed) == [1, 2, 3]
