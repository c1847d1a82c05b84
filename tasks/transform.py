"""The third verb: map source records to rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.compile import CompiledMapping
from astrio.tasks.stages import transform_pages
from astrio.tasks.unexpected import explained


@task(name="transform", cache_policy=NO_CACHE, persist_result=False)
async def transform(
    pages: AsyncIterable[Page], mapping: CompiledMapping
) -> AsyncGenerator[Batch, None]:
    """Yield each page as a batch of mapped rows; a record that fails becomes one of its rejects."""
    with explained():
        async for batch in transform_pages(pages, mapping):
            yield batch
