"""A replay as a Prefect flow: its name, its five tasks, what its parameters and reports hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.test_sync import VERBS, task_runs, verbs

from astrio.tasks.destinations.opening import last_runs, quarantine_rows

pytestmark = pytest.mark.usefixtures("prefect_api", "home")
BROKEN: dict[str, Any] = {"map": {"id": "id", "name": "int(name)"}}
MENDED: dict[str, Any] = {"map": {"id": "id", "name": "name"}}


async def test_a_replay_is_a_flow_run_of_five_tasks_that_says_what_it_is(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client

    from astrio.flows.engine import run_without_prefect
    from astrio.flows.replay import replay

    with cursor_api([record(1), record(2, name="7")]) as server:
        plan = integration(server.url, tmp_path / "items.db", **BROKEN)
        await run_without_prefect(plan)
    mended = plan.model_copy(update=MENDED)
    (row,) = quarantine_rows(plan.push, plan.name)
    report = await replay(mended, ids=(row["id"],))
    assert (report.replay, report.records.written) == (True, 1)
    assert report.flow_run is not None
    runs = await task_runs(report.flow_run)
    assert verbs(runs) == VERBS
    assert all(run.state.is_completed() for run in runs)
    async with get_client() as client:
        run = await client.read_flow_run(UUID(report.flow_run))
    assert run.state is not None
    assert (run.name, run.state.name) == ("items (replay)", "Completed")
    assert "Name 1" not in str(run.parameters)
    assert last_runs(plan.push, plan.name, 1)[0]["flow_run"] == report.flow_run
