"""Carrying out a run within a Prefect flow: the five tasks, the report, the state."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import AsyncExitStack
from typing import Any, cast

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run
from prefect.states import Completed

from astrio.blocks.errors import AstrioError, WaitTooLongError
from astrio.blocks.redaction import redact
from astrio.blocks.tokens import NeedsAuthorisationError
from astrio.flows.artifacts import progress_artifact, report_artifact
from astrio.flows.chaining import hand_on
from astrio.flows.history import earlier_runs
from astrio.flows.last_mapping import remember_mapping
from astrio.flows.plan import Plan
from astrio.flows.planning import Run
from astrio.flows.reauthorising import wait_for_authorisation
from astrio.flows.rescheduling import go_on_after
from astrio.flows.summary import STATES, headline
from astrio.tasks.arrows import draw_arrow
from astrio.tasks.authenticate import authenticate
from astrio.tasks.collecting import rare_collections
from astrio.tasks.destinations.part import PartTakenError
from astrio.tasks.fetch import fetch
from astrio.tasks.progress import announce
from astrio.tasks.push import push
from astrio.tasks.report import RunReport
from astrio.tasks.streaming import Chain
from astrio.tasks.transform import transform
from astrio.tasks.validate import validate


async def carry_out(run: Run) -> RunReport:
    """Carry out a prepared run: authenticate, fetch, transform, validate, push.

    Called from within a flow, to which it gives a state that tells how the run has ended.

    Raises:
        AstrioError: the run failed; its report is kept with the data and as an artifact.
        PartTakenError: another run is at work on the same part; this one leaves no trace.
    """
    run.account.report.flow_run = str(flow_run.id) if flow_run.id else None
    begun = True
    try:
        async with progress_artifact(run.integration.name):
            report = await _chain(run, await run.open())
        if not (report.replay or report.dry_run):
            remember_mapping(run.integration)
    except asyncio.CancelledError:
        await run.fail(AstrioError("The run was cancelled."), state="cancelled")
        raise
    except PartTakenError:
        begun = False  # whoever has the part tells of it
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, the run is closed and told)
        get_run_logger().debug(redact(traceback.format_exc()))
        told = await run.fail(error)
        if isinstance(told, NeedsAuthorisationError) and not run.options.dry_run:
            await wait_for_authorisation(told, run.integration.name)
        if isinstance(told, WaitTooLongError) and deployment.id and run.may_be_put_off:
            await go_on_after(told)
        raise told from None  # a cause's text may hold what must not be logged
    finally:
        await run.close()
        if begun:
            await hand_on(run)
            await _publish(run)
    # A state of its own makes the list of runs tell how each has ended; callers get its data.
    state: State[RunReport] = Completed(
        name=STATES[report.state], message=headline(report), data=report
    )
    return cast("RunReport", state)


async def _chain(run: Run, plan: Plan) -> RunReport:
    async with AsyncExitStack() as stack:
        stack.enter_context(rare_collections())
        session = await authenticate(
            plan.api, retry=run.integration.retry, errors=run.integration.errors
        )
        if session is not None:
            stack.push_async_callback(session.aclose)
        chain = await stack.enter_async_context(Chain(link=draw_arrow))
        plan.opened(session)
        pages = await chain.stream(fetch(session, plan.reading, chain.stopping))
        batches = await chain.stream(transform(pages, plan.mapping))
        accepted = await chain.stream(validate(batches, plan.rules))
        return await push(accepted, plan.outcome)


async def _publish(run: Run) -> None:
    """Show the report to whoever watches: the command line, the log, the Prefect UI."""
    report = run.account.report
    announce(run.told())
    get_run_logger().info(headline(report))
    # Looking at a stream brings its state tables up to date, which a dry run must not.
    earlier = [] if report.dry_run else await _earlier(run)
    try:
        await report_artifact(report, earlier)
    except Exception as error:  # noqa: BLE001 (the rows are written, whatever Prefect's API says)
        get_run_logger().warning(f"The report's artifact could not be kept: {redact(str(error))}")


async def _earlier(run: Run) -> list[dict[str, Any]]:
    integration = run.integration
    return await earlier_runs(integration.push, integration.name, run.account.run_id)
