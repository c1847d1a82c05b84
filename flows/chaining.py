"""Running the integrations that take a run's records over, each as a flow run of its own.

What is handed over waits in the ledger, so nothing is lost if its run fails, or never begins: the
next one takes it. Parameters of flow runs hold no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
from prefect.client.orchestration import get_client
from prefect.deployments.flow_runs import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runtime import flow_run

from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.flows.reading.chains import receivers
from astrio.tasks.options import RunOptions
from astrio.tasks.progress import watching_alone
from astrio.tasks.report import ErrorReport, HandedOn, RunReport
from astrio.tasks.unexpected import unexpected
from astrio.tasks.webhooks.inbox.handing import count_waiting, edge

Nearby = Callable[[str], Integration | None]
_nearby: ContextVar[Nearby | None] = ContextVar("astrio_nearby", default=None)
_above: ContextVar[tuple[str, ...]] = ContextVar("astrio_above", default=())


@contextmanager
def integrations_nearby(find: Nearby) -> Iterator[None]:
    """Let integrations that take records over run in this process, found by their names."""
    token = _nearby.set(find)
    try:
        yield
    finally:
        _nearby.reset(token)


async def hand_on(run: Run) -> None:
    """Run what takes the records of a run over, and note in its report how that ended.

    A run that has failed hands on what it had committed before. Nothing is raised: the records
    are safe where they are.
    """
    name, report = run.integration.name, run.account.report
    if run.options.dry_run or report.state == "cancelled":
        return
    for receiver in receivers(run.integration):
        try:
            if count_waiting([edge(name, receiver)]):
                report.handed_on.append(await _handed_on(name, receiver))
        except Exception as error:  # noqa: BLE001 (whatever it is, the records wait)
            report.handed_on.append(_failed(receiver, error))
    report.warnings += [_words(each) for each in report.handed_on if not _went_well(each)]


async def _handed_on(sender: str, receiver: str) -> HandedOn:
    if receiver in (*_above.get(), sender):
        return HandedOn(integration=receiver, state="waiting")
    find = _nearby.get()
    if find is not None and (found := find(receiver)) is not None:
        return await _run_here(sender, found)
    try:
        return await _scheduled(receiver)
    except ObjectNotFound:
        return HandedOn(integration=receiver, state="waiting")
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        words = redact(str(error).partition("\n")[0]) or type(error).__name__
        return _failed(receiver, AstrioError(f"The Prefect server does not answer ({words})."))


async def _run_here(sender: str, integration: Integration) -> HandedOn:
    """Run it as a flow within this one: Prefect shows it as its child."""
    from astrio.flows.sync import sync

    token = _above.set((*_above.get(), sender))
    try:
        with watching_alone(lambda _: None):
            report: RunReport = await sync(integration, RunOptions(wait=True))
    except Exception as error:  # noqa: BLE001 (whatever it is, the records wait)
        return _failed(integration.name, error)
    finally:
        _above.reset(token)
    return HandedOn(integration=integration.name, state=report.state, flow_run=report.flow_run)


async def _scheduled(receiver: str) -> HandedOn:
    """Let its deployment run, whoever serves it; several demands of one run are one."""
    name = f"sync/{receiver}"
    async with get_client() as client:
        await client.read_deployment_by_name(name)
    key = f"{flow_run.id}:{receiver}" if flow_run.id else None
    begun = await arun_deployment(name=name, timeout=0, as_subflow=True, idempotency_key=key)
    return HandedOn(integration=receiver, state="scheduled", flow_run=str(begun.id))


def _failed(receiver: str, error: Exception) -> HandedOn:
    told = error if isinstance(error, AstrioError) else unexpected(error)
    return HandedOn(integration=receiver, state="failed", error=ErrorReport.of(told))


def _went_well(handed: HandedOn) -> bool:
    return handed.state == "scheduled" or handed.state.startswith("completed")


def _words(handed: HandedOn) -> str:
    if handed.error is not None:
        words = f"{handed.integration}, which takes the records over, failed: "
        return f"{words}{handed.error.message} They wait for its next run."
    return (
        f"{handed.integration} takes the records over, but is neither deployed nor run from here: "
        f"they wait for `astrio run {handed.integration}`."
    )
