"""The fourth verb: hold rows against the rules."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.tasks.batch import Batch
from astrio.tasks.rules.compile import CompiledRules
from astrio.tasks.stages import validate_batches
from astrio.tasks.unexpected import explained


@task(name="validate", cache_policy=NO_CACHE, persist_result=False)
async def validate(
    batches: AsyncIterable[Batch], rules: CompiledRules
) -> AsyncGenerator[Batch, None]:
    """Yield each batch with its rule-breaking rows moved to the rejects, reasons attached."""
    with explained():
        async for batch in validate_batches(batches, rules):
            yield batch
