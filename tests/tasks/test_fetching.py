"""Fetching: pages in order, an end when told to stop, a fresh start for an expired position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import NO_RETRY, client
from tests.support.server import answer, serve

from astrio.blocks.errors import ApiAnswerError, CredentialsError
from astrio.tasks.batch import Page
from astrio.tasks.fetching import fetch_pages
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.cursor import Cursor
from astrio.tasks.reading import ReadPlan

FIRST = ApiRequest("GET", "/items")


def plan(**changes: Any) -> ReadPlan:
    paginator = Cursor.model_validate({"next": "next"})
    return ReadPlan(first=FIRST, paginator=paginator, records="items", **changes)


def items(request: web.Request) -> Any:
    """Three pages of one record each; the position `gone` has expired."""
    cursor = request.query.get("cursor", "1")
    if cursor == "gone":
        return answer({"error": "expired"}, 410)
    number = int(cursor)
    return {"items": [{"id": number}], "next": number + 1 if number < 3 else None}


@asynccontextmanager
async def session(handler: Any = items) -> AsyncGenerator[ApiClient, None]:
    with serve({"/items": handler}) as server:
        async with client(server.url, retry=NO_RETRY) as opened:
            yield opened


def ids(pages: list[Page]) -> list[Any]:
    return [record["id"] for page in pages for record in page.records]


@pytest.mark.parametrize("watched", [True, False])
async def test_pages_come_in_order_to_the_end(watched: bool) -> None:
    stopping = asyncio.Event() if watched else None
    async with session() as opened:
        pages = [page async for page in fetch_pages(opened, plan(), stopping)]
    assert ids(pages) == [1, 2, 3]
    assert [page.restart for page in pages] == [False, False, False]


async def test_told_to_stop_it_asks_for_no_further_page() -> None:
    stopping = asyncio.Event()
    pages = []
    async with session() as opened:
        async for page in fetch_pages(opened, plan(), stopping):
            pages.append(page)
            stopping.set()
        assert opened.stats.report().sent == 1
    assert ids(pages) == [1]


async def test_told_to_stop_it_drops_the_request_in_flight() -> None:
    stopping, asked = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow(request: web.Request) -> Any:
        if "cursor" in request.query:
            loop.call_soon_threadsafe(asked.set)
            await asyncio.sleep(3600)
        return items(request)

    async with session(slow) as opened, aclosing(fetch_pages(opened, plan(), stopping)) as pages:
        assert (await anext(pages)).number == 1
        following = asyncio.ensure_future(anext(pages, None))
        await asked.wait()
        stopping.set()
        assert await asyncio.wait_for(following, 10) is None


async def test_a_failure_of_a_page_is_raised_after_the_pages_before_it() -> None:
    def refusing(request: web.Request) -> Any:
        return answer({}, 401) if request.query.get("cursor") == "2" else items(request)

    pages = []
    async with session(refusing) as opened:
        with pytest.raises(CredentialsError):
            async for page in fetch_pages(opened, plan(), asyncio.Event()):
                pages.append(page)
    assert ids(pages) == [1]


async def test_a_position_that_the_api_no_longer_knows_begins_the_slice_anew() -> None:
    resume = ApiRequest("GET", "/items", params={"cursor": "gone"})
    resumed = plan(resume=resume, pages_before=7, received_before=70)
    async with session() as opened:
        pages = [page async for page in fetch_pages(opened, resumed, asyncio.Event())]
    assert ids(pages) == [1, 2, 3]
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.restart for page in pages] == [True, False, False]


async def test_where_rows_were_appended_an_expired_position_is_an_error() -> None:
    resume = ApiRequest("GET", "/items", params={"cursor": "gone"})
    resumed = plan(resume=resume, pages_before=7, may_restart=False)
    async with session() as opened:
        with pytest.raises(ApiAnswerError, match="cannot go on"):
            _ = [page async for page in fetch_pages(opened, resumed)]
