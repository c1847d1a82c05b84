"""Pages that are asked for at the same time are the same, in the same order, as one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reading import client, ids, plan, read
from tests.support.server import answer, serve

from astrio.blocks.errors import AstrioError
from astrio.tasks.reading import read_pages

BY_PAGE = {"type": "page_number", "total": "total"}
BY_OFFSET = {"type": "offset", "limit_param": "limit", "limit": 5, "total": "total"}


class Shop:
    """An API of pages that are capped, and counts how many are asked for at once."""

    def __init__(self, count: int, cap: int, breaks: int | None = None, at_once: int = 1) -> None:
        self.count, self.cap, self.breaks, self.at_once = count, cap, breaks, at_once
        self.now = self.most = 0
        self.met = asyncio.Event()

    async def __call__(self, request: web.Request) -> Any:
        self.now += 1
        self.most = max(self.most, self.now)
        if self.most >= self.at_once:
            self.met.set()
        start = (int(request.query.get("page", "1")) - 1) * self.cap
        start = int(request.query.get("offset", start))
        if start:  # the first page alone tells how many there are
            await asyncio.wait_for(self.met.wait(), 20)
        await asyncio.sleep(0)
        self.now -= 1
        if self.breaks is not None and start >= self.breaks:
            return answer({}, 400)
        items = [{"id": number} for number in range(start, min(start + self.cap, self.count))]
        return {"items": items, "total": self.count}


@pytest.mark.parametrize("paginate", [BY_PAGE, BY_OFFSET])
async def test_pages_are_asked_for_at_once_and_told_in_order(paginate: dict[str, Any]) -> None:
    shop = Shop(50, 5, at_once=4)
    with serve(shop) as server:
        pages = await read(server.url, plan({**paginate, "parallel": 4}))
    assert ids(pages) == list(range(50))
    assert [page.number for page in pages] == list(range(1, 11))
    assert shop.most == 4


@pytest.mark.parametrize(("room", "at_once"), [(200, 2), (10, 1)])
async def test_of_large_pages_fewer_are_asked_for_at_once(
    room: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astrio.tasks.slice_reading.AHEAD_BYTES", room)
    shop = Shop(50, 5, at_once=at_once)  # pages of some 80 bytes
    with serve(shop) as server:
        pages = await read(server.url, plan({**BY_PAGE, "parallel": 8}))
    assert ids(pages) == list(range(50))
    assert shop.most == at_once


async def test_one_at_a_time_is_the_rule() -> None:
    shop = Shop(30, 5)
    with serve(shop) as server:
        await read(server.url, plan(BY_PAGE))
    assert shop.most == 1


async def test_no_page_beyond_the_total_or_max_pages_is_asked_for() -> None:
    with serve(Shop(23, 5)) as server:
        await read(server.url, plan({**BY_PAGE, "parallel": 16}))
        assert len(server.requests) == 5
    with serve(Shop(50, 5)) as server:
        pages = await read(server.url, plan({**BY_PAGE, "parallel": 16, "max_pages": 3}))
        assert (len(server.requests), pages[-1].stop_reason) == (3, "limit")


async def test_a_page_that_fails_ahead_is_told_when_it_is_due() -> None:
    seen = []
    with serve(Shop(50, 5, breaks=20)) as server:
        async with client(server.url) as opened:
            with pytest.raises(AstrioError, match="400"):
                async for page in read_pages(opened, plan({**BY_PAGE, "parallel": 8})):
                    seen.append(page.number)
    assert seen == [1, 2, 3, 4]


async def test_a_reading_that_is_given_up_leaves_no_request_behind() -> None:
    with serve(Shop(500, 5)) as server:
        async with client(server.url) as opened:
            pages = read_pages(opened, plan({**BY_PAGE, "parallel": 8}))
            await anext(pages)
            await anext(pages)
            await pages.aclose()
            await asyncio.sleep(0.1)  # what was on its way arrives
            before = len(server.requests)
            await asyncio.sleep(0.3)
            assert len(server.requests) == before


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 40),
    cap=st.integers(1, 9),
    parallel=st.integers(2, 6),
    paginate=st.sampled_from([BY_PAGE, BY_OFFSET]),
)
def test_whatever_the_pages_the_records_are_those_of_one_by_one(
    count: int, cap: int, parallel: int, paginate: dict[str, Any]
) -> None:
    with serve(Shop(count, cap)) as server:
        alone = asyncio.run(read(server.url, plan(paginate)))
        together = asyncio.run(read(server.url, plan({**paginate, "parallel": parallel})))
    assert ids(alone) == ids(together) == list(range(count))
    assert [each.stop_reason for each in alone] == [each.stop_reason for each in together]
