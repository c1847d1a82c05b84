"""Who carries out a part: this process, or a worker of a work pool."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from prefect import tags
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Cancelling

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.carrying_parts import Carrier
from astrio.flows.connecting import with_target
from astrio.flows.integration import Integration
from astrio.flows.naming import described_part
from astrio.flows.part import LEFT, part
from astrio.flows.parting import path_of
from astrio.tasks.destinations.opening import last_runs
from astrio.tasks.options import PartOptions
from astrio.tasks.report import RunReport

FLOW: Final = "part"
ENTRYPOINT: Final = "astrio.flows.part.part"
LOOK_SECONDS: Final = 1.0
_RELATIVE_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?![/:$?]).")


class PartFailedError(AstrioError):
    """A part has failed in another process."""

    kind = "part"


def carrier(integration: Integration, pool: str | None, marked: Sequence[str]) -> Carrier:
    """Return what carries out the integration's parts.

    Args:
        integration: whose parts.
        pool: work pool whose workers do it; None: this process.
        marked: tags of the flow runs.

    Raises:
        ConfigurationError: a worker could not do it.
    """
    if pool is not None:
        _refuse_elsewhere(integration)
        return _Pooled(integration, pool, list(marked))

    async def here(options: PartOptions) -> RunReport | None:
        with tags(*marked):
            return await part(integration, options)

    return here


async def own_pool() -> str | None:
    """Return the work pool of the flow run within which this is called, if it has one."""
    if not flow_run.id:
        return None
    async with get_client() as client:
        return (await client.read_flow_run(UUID(str(flow_run.id)))).work_pool_name


class _Pooled:
    """Submits a flow run for each part, and waits for its end."""

    def __init__(self, integration: Integration, pool: str, marked: list[str]) -> None:
        self._integration = integration
        self._pool = pool
        self._tags = marked
        self._made: asyncio.Task[None] | None = None

    async def __call__(self, options: PartOptions) -> RunReport | None:
        if self._made is None:
            self._made = asyncio.create_task(self._deploy())
        await self._made
        run = await run_deployment(  # type: ignore[misc] # awaited, it is a coroutine
            f"{FLOW}/{self._integration.name}",
            flow_run_name=described_part(self._integration.name, options),
            parameters={"options": options.model_dump(mode="json")},
            timeout=0,
            tags=self._tags,
        )
        try:
            ended = await _end_of(run.id)
        except asyncio.CancelledError:
            await asyncio.shield(_cancel(run.id))
            raise
        if ended.state is not None and ended.state.name == LEFT:
            return None
        return await self._report(ended, options)

    async def _deploy(self) -> None:
        """Make, or renew, the deployment whose runs are the parts."""
        dumped = self._integration.model_dump(mode="json", by_alias=True)
        async with get_client() as client:
            try:
                await client.read_work_pool(self._pool)
            except ObjectNotFound:
                raise ConfigurationError(
                    f"There is no work pool {self._pool}.",
                    advice=f"Create it: prefect work-pool create {self._pool} --type process",
                ) from None
            flow = await client.create_flow_from_name(FLOW)
            body = {
                "name": self._integration.name,
                "flow_id": str(flow),
                "entrypoint": ENTRYPOINT,
                "description": "Chunks of backfills, and partitions; made by astrio.",
                "tags": [*dict.fromkeys([*self._integration.tags, "astrio"])],
                "parameters": {"integration": dumped},
                "work_pool_name": self._pool,
            }
            await client.request("POST", "/deployments/", json=body)

    async def _report(self, ended: FlowRun, options: PartOptions) -> RunReport:
        """Return the report that the part has left in the destination."""
        integration = self._integration
        push = await asyncio.to_thread(with_target, integration.push)
        found = await asyncio.to_thread(last_runs, push, integration.name, 10, path_of(options))
        mine = [each for each in found if each.get("flow_run") == str(ended.id)]
        if not mine:
            state = ended.state
            raise PartFailedError(
                f"Its flow run ended as {state.name if state else 'unknown'}, and left no report.",
                advice="See its log in the Prefect UI.",
            )
        report = RunReport.stored(mine[0])
        if report.error is not None:
            error = report.error
            raise PartFailedError(error.message, advice=error.advice, request=error.request)
        return report


async def _end_of(run: UUID) -> FlowRun:
    async with get_client() as client:
        while True:
            found = await client.read_flow_run(run)
            if found.state is not None and found.state.is_final():
                return found
            await asyncio.sleep(LOOK_SECONDS)


async def _cancel(run: UUID) -> None:
    async with get_client() as client:
        await _set_cancelling(client, run)


async def _set_cancelling(client: PrefectClient, run: UUID) -> None:
    await client.set_flow_run_state(run, Cancelling(message="The run of all parts was stopped."))


def _refuse_elsewhere(integration: Integration) -> None:
    masked = integration.model_dump(mode="json", by_alias=True)
    plain: Any = integration.model_dump(mode="json", by_alias=True, context={SHOW_SECRETS: True})
    if masked != plain:
        raise ConfigurationError(
            f"{integration.name} holds a secret that is written out, which workers cannot get.",
            advice="Use ${env:NAME} and set the variable where the workers run.",
        )
    if any(_RELATIVE_SQLITE.match(getattr(each.to, "url", "")) for each in integration.push.all):
        raise ConfigurationError(
            f"{integration.name}: a worker runs in a folder of its own.",
            advice="Give push.to.url an absolute path (sqlite:////…).",
        )
