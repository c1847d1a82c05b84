"""Fetching: read pages until the source ends or the run is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.reading import ReadPlan, ResumeExpiredError, read_pages


async def fetch_pages(
    session: ApiClient, plan: ReadPlan, stopping: asyncio.Event | None = None
) -> AsyncGenerator[Page, None]:
    """Yield the pages of `plan`; a resume point that the API no longer knows starts anew.

    Raises:
        AstrioError: a page could not be had or used.
    """
    try:
        async for page in _until(stopping, read_pages(session, plan)):
            yield page
        return
    except ResumeExpiredError:
        if not plan.may_restart:
            raise
    again = True
    async for page in _until(stopping, read_pages(session, plan.from_start())):
        page.restart = page.restart or again
        again = False
        yield page


async def _until(
    stopping: asyncio.Event | None, pages: AsyncGenerator[Page, None]
) -> AsyncGenerator[Page, None]:
    """Yield pages, but drop the request in flight and return when told to stop."""
    if stopping is None:
        async with aclosing(pages):
            async for page in pages:
                yield page
        return
    stop = asyncio.create_task(stopping.wait())
    try:
        while not stopping.is_set():
            ahead = asyncio.ensure_future(anext(pages, None))
            await asyncio.wait({ahead, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not ahead.done():
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                return
            arrived = ahead.result()
            if arrived is None:
                return
            yield arrived
    finally:
        stop.cancel()
        await pages.aclose()
