"""The second verb: read the source page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.tasks.batch import Page
from astrio.tasks.fetching import fetch_pages
from astrio.tasks.http.client import ApiClient
from astrio.tasks.page_source import PageSource
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.unexpected import explained


@task(name="fetch", cache_policy=NO_CACHE, persist_result=False)
async def fetch(
    session: ApiClient | None,
    plan: ReadPlan | PageSource,
    stopping: asyncio.Event | None = None,
) -> AsyncGenerator[Page, None]:
    """Yield the source's pages as they arrive, fetching ahead of the consumer.

    Args:
        session: what `authenticate` returned.
        plan: what to read, and from where on; or what yields the pages itself.
        stopping: when set, the read ends at once, mid-request too.

    Raises:
        AstrioError: a page could not be had or used; the text names request and page.
    """
    with explained():
        async for page in fetch_pages(session, plan, stopping):
            yield page
