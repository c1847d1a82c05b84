"""The fifth verb: write accepted rows, quarantine the rest, close the account."""

from __future__ import annotations

from collections.abc import AsyncIterable

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.tasks.batch import Batch
from astrio.tasks.outcome import Outcome
from astrio.tasks.pushing import push_batches
from astrio.tasks.report import RunReport
from astrio.tasks.unexpected import explained


@task(name="push", cache_policy=NO_CACHE, persist_result=False)
async def push(batches: AsyncIterable[Batch], outcome: Outcome) -> RunReport:
    """Commit the batches chunk by chunk and return the balanced report.

    Raises:
        AstrioError: the run failed; what was committed stays, and the resume point with it.
    """
    with explained():
        return await push_batches(batches, outcome)
