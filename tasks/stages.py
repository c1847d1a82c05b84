"""The transform and validate stages as plain generators; the tasks of those names wrap them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.compile import CompiledMapping
from astrio.tasks.rules.compile import CompiledRules


async def transform_pages(
    pages: AsyncIterable[Page], mapping: CompiledMapping
) -> AsyncGenerator[Batch, None]:
    """Yield each page as a batch of mapped rows; a record that fails becomes one of its rejects."""
    async for page in pages:
        batch = mapping.transform(page)
        batch.rejects[:0] = page.rejects
        page.records = ()  # the batch knows where to find them, and needs less memory for it
        yield batch


async def validate_batches(
    batches: AsyncIterable[Batch], rules: CompiledRules
) -> AsyncGenerator[Batch, None]:
    """Yield each batch with its rule-breaking rows moved to the rejects, reasons attached."""
    async for batch in batches:
        accepted = rules.validate(batch)
        for field in accepted.fields():
            field.look()
        yield accepted
