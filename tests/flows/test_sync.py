"""The flow `sync` under a real Prefect server: five task runs, arrows, artifacts, clean ends."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from tests.flows.api import cursor_api, integration, record
from tests.support.server import serve

from astrio.blocks.errors import AstrioError
from astrio.tasks.progress import watching
from astrio.tasks.report import RunReport

VERBS = ["authenticate", "fetch", "transform", "validate", "push"]


async def task_runs(flow_run: str) -> list[Any]:
    """Return the recorded task runs in the order in which they began, once all are recorded."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run)]))
    async with get_client() as client:
        for _ in range(100):
            runs = await client.read_task_runs(flow_run_filter=chosen)
            if runs and all(run.state and run.state.is_final() for run in runs):
                await asyncio.sleep(0.5)
                runs = await client.read_task_runs(flow_run_filter=chosen)
                return sorted(runs, key=lambda run: run.expected_start_time)
            await asyncio.sleep(0.2)
    raise AssertionError("task runs are still running, or were never recorded")


def verbs(runs: list[Any]) -> list[str]:
    return [run.name.rpartition("-")[0] for run in runs]


@pytest.mark.usefixtures("prefect_api", "home")
async def test_five_task_runs_are_recorded_in_order_and_joined_by_their_inputs(
    tmp_path: Path,
) -> None:
    from astrio.flows.sync import sync

    with cursor_api([record(number) for number in range(95)]) as server:
        report = await sync(integration(server.url, tmp_path / "items.db"))
    assert report.records.written == 95
    assert report.flow_run is not None
    runs = await task_runs(report.flow_run)
    assert verbs(runs) == VERBS
    for earlier, later in pairwise(runs):
        inputs = {each.id for given in later.task_inputs.values() for each in given}
        assert earlier.id in inputs, f"no arrow from {earlier.name} to {later.name}"
    assert all(run.state.is_completed() for run in runs)


@pytest.mark.usefixtures("prefect_api", "home")
async def test_the_report_is_kept_as_a_markdown_artifact(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    from astrio.flows.sync import sync

    with cursor_api([record(number) for number in range(3)]) as server:
        report = await sync(integration(server.url, tmp_path / "items.db"))
    async with get_client() as client:
        kept = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["items-report"]))
        )
    texts = [str(each.data) for each in kept if str(each.flow_run_id) == report.flow_run]
    assert len(texts) == 1
    assert "3 fetched = 0 filtered + 0 rejected + 3 written" in texts[0]


@pytest.mark.usefixtures("prefect_api", "home")
async def test_after_a_failure_in_the_middle_no_task_is_left_running(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    def broken(request: web.Request) -> Any:
        page = int(request.query.get("cursor", "0"))
        if page == 4:
            return web.Response(status=404)
        return {"items": [record(page)], "next": page + 1}

    reports: list[RunReport] = []
    with (
        serve({"/items": broken}) as server,
        watching(lambda news: reports.append(news) if isinstance(news, RunReport) else None),
        pytest.raises(AstrioError, match="404"),
    ):
        await sync(integration(server.url, tmp_path / "items.db"))
    assert reports[0].state == "failed"
    assert reports[0].stop_reason == "error"
    assert reports[0].records.written == 4
    assert reports[0].flow_run is not None
    runs = await task_runs(reports[0].flow_run)
    states = {run.name.rpartition("-")[0]: run.state.name for run in runs}
    assert states["authenticate"] == "Completed"
    assert {states[verb] for verb in VERBS[1:]} == {"Failed"}


@pytest.mark.usefixtures("prefect_api", "home")
async def test_stages_before_a_failing_one_end_as_completed(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    with sqlite3.connect(tmp_path / "items.db") as connection:
        connection.execute("CREATE VIEW items AS SELECT 1 AS id")
    reports: list[RunReport] = []
    with (
        cursor_api([record(number) for number in range(20_000)]) as server,
        watching(lambda news: reports.append(news) if isinstance(news, RunReport) else None),
        pytest.raises(AstrioError, match="is a view"),
    ):
        await sync(integration(server.url, tmp_path / "items.db"))
    runs = await task_runs(str(reports[0].flow_run))
    states = {run.name.rpartition("-")[0]: run.state.name for run in runs}
    assert states == dict.fromkeys(VERBS[:4], "Completed") | {"push": "Failed"}
