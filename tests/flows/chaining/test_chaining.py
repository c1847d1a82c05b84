"""A run that hands its records on: the other integration runs as a flow run of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import query

from astrio.flows.integration import Integration
from astrio.tasks.webhooks.inbox.handing import count_waiting, edge

pytestmark = pytest.mark.usefixtures("prefect_api", "home")
RECORDS = [record(number, name=f"canary {number}") for number in range(25)]


def sender(url: str, to: str = "names") -> Integration:
    return integration(url, Path("unused"), push={"to": {"integration": to}})


def receiver(database: Path, name: str = "names", **more: Any) -> Integration:
    push = {"to": {"url": f"sqlite:///{database}"}, "table": "names", "mode": "append"}
    document = {"name": name, "source": {"event": "items"}, "push": push, **more}
    return Integration.model_validate(document)


async def test_the_receiver_runs_as_a_child_of_the_sender_and_holds_no_record_in_parameters(
    tmp_path: Path,
) -> None:
    from prefect.client.orchestration import get_client

    from astrio.flows.chaining import integrations_nearby
    from astrio.flows.sync import sync

    database = tmp_path / "names.db"
    with cursor_api(RECORDS) as api, integrations_nearby({"names": receiver(database)}.get):
        report = await sync(sender(api.url))
    [handed] = report.handed_on
    assert (report.state, handed.integration, handed.state) == ("completed", "names", "completed")
    assert query(database, "SELECT count(*) FROM names") == [(25,)]
    assert handed.flow_run is not None
    async with get_client() as client:
        child = await client.read_flow_run(UUID(handed.flow_run))
        assert child.parent_task_run_id is not None
        placeholder = await client.read_task_run(child.parent_task_run_id)
        assert str(placeholder.flow_run_id) == report.flow_run
        for id_ in (handed.flow_run, str(report.flow_run)):
            run = await client.read_flow_run(UUID(id_))
            assert "canary" not in str(run.parameters)


async def test_a_receiver_that_fails_is_told_and_the_records_wait(tmp_path: Path) -> None:
    from astrio.flows.chaining import integrations_nearby
    from astrio.flows.sync import sync

    there = receiver(tmp_path / "missing" / "names.db")
    with cursor_api(RECORDS) as api, integrations_nearby({"names": there}.get):
        report = await sync(sender(api.url))
    assert report.state == "completed"
    [handed] = report.handed_on
    assert handed.error is not None
    assert (handed.state, handed.error.kind) == ("failed", "destination")
    assert any("They wait for its next run" in each for each in report.warnings)
    assert count_waiting([edge("items", "names")]) > 0


async def test_one_that_is_neither_deployed_nor_nearby_is_told(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    with cursor_api(RECORDS) as api:
        report = await sync(sender(api.url, "nobody"))
    assert [each.state for each in report.handed_on] == ["waiting"]
    assert "neither deployed nor run from here" in report.warnings[0]


async def test_a_deployment_of_the_receiver_is_asked_to_run_as_a_child(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client

    from astrio.deployments.deploying.applying import apply
    from astrio.deployments.deploying.building import Target
    from astrio.deployments.deploying.collecting import collect
    from astrio.flows.sync import sync

    file = tmp_path / "deployed-names.yaml"
    plan = receiver(tmp_path / "names.db", "deployed-names")
    document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    with cursor_api(RECORDS) as api:
        sending = sender(api.url, "deployed-names")
        other = sending.model_dump(mode="json", by_alias=True, exclude_none=True)
        (tmp_path / "items.yaml").write_text(yaml.safe_dump(other))
        document["source"] = {"event": "items"}
        file.write_text(yaml.safe_dump(document))
        collected = collect([file])
        assert collected.mistakes == {}
        async with get_client() as client:
            await apply(client, collected.found, Target())
            report = await sync(sending)
            [handed] = report.handed_on
            assert handed.state == "scheduled"
            run = await client.read_flow_run(UUID(str(handed.flow_run)))
    assert run.deployment_id is not None
    assert run.parent_task_run_id is not None
    assert run.parameters["integration"]["name"] == "deployed-names"
    assert report.warnings == []
