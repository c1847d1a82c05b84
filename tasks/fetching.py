"""Fetching: read pages until the source ends or the run is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from astrio.blocks.errors import ApiUnavailableError
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.overlap import DriftError
from astrio.tasks.read_plan import ReadPlan, ResumeExpiredError, TokenExpiredError
from astrio.tasks.reading import read_pages


async def fetch_pages(
    session: ApiClient, plan: ReadPlan, stopping: asyncio.Event | None = None
) -> AsyncGenerator[Page, None]:
    """Yield the pages of `plan`; a resume point that the API no longer knows starts anew.

    Raises:
        AstrioError: a page could not be had or used.
    """
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
    session: ApiClient, stopping: asyncio.Event | None, pages: AsyncGenerator[Page, None]
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
            left = session.seconds_left()
            await asyncio.wait({ahead, stop}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not ahead.done():
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
                if not stopping.is_set():
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
