"""Fetching: read pages until the source ends or the run is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from astrio.blocks.errors import ApiUnavailableError
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.overlap import DriftError
from astrio.tasks.page_source import PageSource
from astrio.tasks.read_plan import ReadPlan, ResumeExpiredError, TokenExpiredError
from astrio.tasks.reading import read_pages


async def fetch_pages(
    session: ApiClient | None,
    plan: ReadPlan | PageSource,
    stopping: asyncio.Event | None = None,
) -> AsyncGenerator[Page, None]:
    """Yield the pages of `plan`; a resume point that the API no longer knows starts anew.

    Raises:
        AstrioError: a page could not be had or used.
    """
    if not isinstance(plan, ReadPlan):
        pages = _until(session, stopping, plan.pages(session))
    else:
        assert session is not None  # a plan reads an API
        pages = _of_api(session, plan, stopping)
    async with aclosing(pages):
        async for page in pages:
            yield page


async def _of_api(
    session: ApiClient, plan: ReadPlan, stopping: asyncio.Event | None
) -> AsyncGenerator[Page, None]:
    try:
        async for page in _until(session, stopping, read_pages(session, plan)):
            yield page
        return
    except TokenExpiredError:
        plan = plan.without_token()
    except (ResumeExpiredError, DriftError):
        if not plan.may_restart:
            raise
        plan = plan.from_start()
    again = True
    async for page in _until(session, stopping, read_pages(session, plan)):
        page.restart = page.restart or again
        again = False
        yield page


async def _until(
    session: ApiClient | None,
    stopping: asyncio.Event | None,
    pages: AsyncGenerator[Page, None],
) -> AsyncGenerator[Page, None]:
    """Yield pages, but drop the request in flight and return when told to stop.

    Raises:
        ApiUnavailableError: the time for the whole run is over; what has arrived is kept.
    """
    stopping = stopping or asyncio.Event()
    stop = asyncio.create_task(stopping.wait())
    try:
        while not stopping.is_set():
            ahead = asyncio.ensure_future(anext(pages, None))
            left = None if session is None else session.seconds_left()
            await asyncio.wait({ahead, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not ahead.done():
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                if session is not None and not stopping.is_set():
                    raise _too_late(session)
                return
            arrived = ahead.result()
            if arrived is None:
                return
            yield arrived
    finally:
        stop.cancel()
        await pages.aclose()


def _too_late(session: ApiClient) -> ApiUnavailableError:
    return ApiUnavailableError(
        f"The run is not done after {session.deadline:,.0f} s, which is timeout.run.",
        advice="What has arrived is kept, and the next run goes on from there where the API's "
        "pages allow it. Raise timeout.run, or read less with incremental.step.",
    )
