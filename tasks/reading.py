"""Reading a source: whole or in parts; twice, if the first reading is in doubt."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from astrio.tasks.batch import Page
from astrio.tasks.children.reading import ChildReading
from astrio.tasks.export.reading import ExportReading
from astrio.tasks.http.client import ApiClient
from astrio.tasks.read_plan import Reading, ReadPlan, ResumeExpiredError
from astrio.tasks.slice_reading import SliceReading
from astrio.tasks.window_reading import WindowedReading

__all__ = ["ReadPlan", "Reading", "ResumeExpiredError", "open_reading", "read_pages"]


def open_reading(client: ApiClient, plan: ReadPlan) -> Reading:
    """Return the pass that a plan asks for."""
    if plan.children is not None:
        return ChildReading(client, plan, plan.children, open_reading)
    if plan.export is not None:
        return ExportReading(client, plan, plan.export, open_reading)
    if plan.windows is not None:
        return WindowedReading(client, plan, plan.windows)
    return SliceReading(client, plan)


async def read_pages(client: ApiClient, plan: ReadPlan) -> AsyncGenerator[Page, None]:
    """Yield the source's pages; an empty source yields one empty page.

    Where the API claims a total and something else arrived, or the source changed while it was
    read, the slice is read once more: its first page then has `restart` set. Whether the second
    reading agrees with the total is for `push` to judge.

    Raises:
        ResumeExpiredError: the API no longer knows the position to go on from.
        AstrioError: a page could not be had or used; the text names request and page.
    """
    if plan.ended is not None:
        yield Page(plan.pages_before, stop_reason=plan.ended, claimed=plan.claimed)
        return
    reading = open_reading(client, plan)
    async with aclosing(reading.pages()) as pages:
        async for page in pages:
            yield page
    if reading.in_doubt() and plan.may_restart:
        again = True
        async with aclosing(open_reading(client, plan.from_start()).pages()) as pages:
            async for page in pages:
                page.restart, again = again, False
                yield page
