"""Parts that are handed to the workers of a pool: what is submitted, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.flows.test_partitions import plan, shops

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.parting import PartRun
from astrio.tasks.options import PartOptions

OPTIONS = PartOptions(partition="store=a", wait=True)


@pytest.fixture
async def pool(prefect_api: str, home: Path) -> AsyncIterator[str]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    name = f"pool-{uuid4().hex[:6]}"
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        yield name
        await client.delete_work_pool(name)


async def submitted(pool: str) -> Any:
    """Return the flow run that waits in the pool."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName

    chosen = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
    async with get_client() as client:
        async with asyncio.timeout(60):
            while not (found := await client.read_flow_runs(work_pool_filter=chosen)):  # noqa: ASYNC110 (Prefect offers no event)
                await asyncio.sleep(0.2)
    return found[0]


async def ended(run: Any, state: Any) -> None:
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        await client.set_flow_run_state(run.id, state, force=True)


async def worked(integration: Integration, run: Any) -> None:
    """Do what a worker does with a run."""
    part = PartRun(integration, PartOptions.model_validate(run.parameters["options"]))
    part.account.report.flow_run = str(run.id)
    await engine(part)


async def test_a_part_is_a_flow_run_in_the_pool_and_its_report_comes_back(
    tmp_path: Path, pool: str
) -> None:
    from prefect.states import Completed

    from astrio.flows.carriers import carrier

    with shops() as server:
        integration = plan(server, tmp_path)
        carrying = asyncio.ensure_future(carrier(integration, pool, ("partition",))(OPTIONS))
        run = await submitted(pool)
        await worked(integration, run)
        await ended(run, Completed())
        report = await carrying
    assert run.name == "items store=a"
    assert set(run.tags) == {"partition", "astrio"}
    assert run.parameters["integration"]["name"] == "items"
    assert report is not None
    assert (report.part, report.records.written) == ("store=a", 5)


async def test_a_part_that_another_process_has_is_left_to_it(tmp_path: Path, pool: str) -> None:
    from prefect.states import Completed

    from astrio.flows.carriers import carrier
    from astrio.flows.part import LEFT

    with shops() as server:
        carrying = asyncio.ensure_future(carrier(plan(server, tmp_path), pool, ())(OPTIONS))
        await ended(await submitted(pool), Completed(name=LEFT))
        assert await carrying is None


async def test_a_part_that_fails_elsewhere_fails_with_the_same_words(
    tmp_path: Path, pool: str
) -> None:
    from prefect.states import Failed

    from astrio.flows.carriers import carrier

    with shops(broken={"a"}) as server:
        integration = plan(server, tmp_path)
        carrying = asyncio.ensure_future(carrier(integration, pool, ())(OPTIONS))
        run = await submitted(pool)
        with pytest.raises(AstrioError) as there:
            await worked(integration, run)
        await ended(run, Failed())
        with pytest.raises(AstrioError) as here:
            await carrying
    assert here.value.message == there.value.message


async def test_a_part_whose_process_has_died_is_told(tmp_path: Path, pool: str) -> None:
    from prefect.states import Crashed

    from astrio.flows.carriers import carrier

    with shops() as server:
        carrying = asyncio.ensure_future(carrier(plan(server, tmp_path), pool, ())(OPTIONS))
        await ended(await submitted(pool), Crashed())
        with pytest.raises(AstrioError, match="ended as Crashed, and left no report"):
            await carrying


async def test_a_run_that_is_stopped_stops_its_parts(tmp_path: Path, pool: str) -> None:
    from astrio.flows.carriers import carrier

    with shops() as server:
        carrying = asyncio.ensure_future(carrier(plan(server, tmp_path), pool, ())(OPTIONS))
        await submitted(pool)
        carrying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await carrying
    assert (await submitted(pool)).state.name in ("Cancelling", "Cancelled")


async def test_a_pool_that_does_not_exist_is_told(tmp_path: Path, prefect_api: str) -> None:
    from astrio.flows.carriers import carrier

    with shops() as server:
        carry = carrier(plan(server, tmp_path), "no-such-pool", ())
        with pytest.raises(ConfigurationError, match="no work pool no-such-pool"):
            await carry(OPTIONS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"push": {"to": {"url": "sqlite:///items.db"}, "table": "items"}}, "folder of its own"),
        ({"token": "plain"}, "a secret that is written out"),
    ],
)
def test_what_a_worker_could_not_do_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    from astrio.flows.carriers import carrier

    with shops() as server:
        token = change.pop("token", None)
        integration = plan(server, tmp_path, **change)
        if token is not None:
            api = {"base_url": server.url, "auth": {"type": "bearer", "token": token}}
            source = integration.source.model_dump(mode="json", by_alias=True) | {"api": api}
            document = integration.model_dump(mode="json", by_alias=True) | {"source": source}
            integration = Integration.model_validate(document)
    with pytest.raises(ConfigurationError, match=told):
        carrier(integration, "pool", ())
