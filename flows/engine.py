"""A run without Prefect: the same stages, plan and account, for benchmarks and for embedding."""

from __future__ import annotations

from contextlib import AsyncExitStack

from astrio.flows.integration import Integration
from astrio.flows.plan import Plan
from astrio.flows.planning import Run
from astrio.tasks.collecting import rare_collections
from astrio.tasks.fetching import fetch_pages
from astrio.tasks.http.client import ApiClient
from astrio.tasks.options import RunOptions
from astrio.tasks.pushing import push_batches
from astrio.tasks.report import RunReport
from astrio.tasks.stages import transform_pages, validate_batches
from astrio.tasks.streaming import Chain


async def run_without_prefect(
    integration: Integration, options: RunOptions | None = None
) -> RunReport:
    """Run one integration in this process, with no Prefect server and no run history.

    Raises:
        AstrioError: the run failed; its report is kept with the data.
    """
    return await engine(Run(integration, options or RunOptions()))


async def engine(run: Run) -> RunReport:
    """Carry out a prepared run; raises as `run_without_prefect`."""
    try:
        await _stages(run, await run.open())
        return run.told()
    except Exception as error:
        raise await run.fail(error) from error
    finally:
        await run.close()


async def _stages(run: Run, plan: Plan) -> RunReport:
    integration = run.integration
    async with AsyncExitStack() as stack:
        stack.enter_context(rare_collections())
        session = None
        if plan.api is not None:
            client = ApiClient(plan.api, retry=integration.retry, errors=integration.errors)
            session = plan.opened(await stack.enter_async_context(client))
        chain = await stack.enter_async_context(Chain())
        pages = await chain.stream(fetch_pages(session, plan.reading, chain.stopping))
        batches = await chain.stream(transform_pages(pages, plan.mapping))
        accepted = await chain.stream(validate_batches(batches, plan.rules))
        return await push_batches(accepted, plan.outcome)
