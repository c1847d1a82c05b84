"""What the list of runs in the Prefect UI tells: names, ends, reports beside one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.flows.api import cursor_api, integration, record

from astrio.tasks.options import RunOptions
from astrio.tasks.progress import watching
from astrio.tasks.report import RunReport

pytestmark = pytest.mark.usefixtures("prefect_api", "home")


async def flow_run(report: RunReport) -> Any:
    """Return the Prefect flow run of a report."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        return await client.read_flow_run(UUID(report.flow_run))


async def test_a_run_is_named_after_its_integration_and_options(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    with cursor_api([record(1)]) as server:
        plain = await sync(integration(server.url, tmp_path / "items.db"))
        again = await sync(
            integration(server.url, tmp_path / "items.db"), RunOptions(full_refresh=True)
        )
    assert (await flow_run(plain)).name == "items"
    assert (await flow_run(again)).name == "items (full refresh)"


async def test_a_run_with_rejects_says_so_by_its_state(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    with cursor_api([record(1), record(2, email="nobody")]) as server:
        plan = integration(
            server.url, tmp_path / "items.db", validate=[{"field": "email", "type": "email"}]
        )
        report = await sync(plan)
    state = (await flow_run(report)).state
    assert (state.type.value, state.name) == ("COMPLETED", "Completed with rejects")
    assert state.message.startswith("Completed with rejects: 2 fetched = 0 filtered + 1 rejected")


async def test_a_run_without_rejects_is_completed(tmp_path: Path) -> None:
    from astrio.flows.sync import sync

    with cursor_api([record(1)]) as server:
        report = await sync(integration(server.url, tmp_path / "items.db"))
    assert (await flow_run(report)).state.name == "Completed"


async def test_the_report_of_a_run_shows_the_runs_before_it(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    from astrio.flows.sync import sync

    records = [record(number) for number in range(3)]
    with cursor_api(records) as server:
        await sync(integration(server.url, tmp_path / "items.db"))
        report = await sync(integration(server.url, tmp_path / "items.db"))
    mine = ArtifactFilterFlowRunId(any_=[UUID(report.flow_run)])
    async with get_client() as client:
        (kept,) = await client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=mine))
    _, _, history = str(kept.data).partition("### Earlier runs")
    assert history.count("| Completed | 3 | 0 | 0 | 3 | 0 | 0 |") == 1


async def test_a_dry_run_shows_counts_to_everybody_and_rows_to_its_caller(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    from astrio.flows.sync import sync

    records = [record(1), record(2)]
    announced: list[Any] = []
    with cursor_api(records) as server:
        plan = integration(server.url, tmp_path / "items.db")
        await sync(plan)
        before = (tmp_path / "items.db").read_bytes()
        records[0] = record(1, email="ada@example.org")
        with watching(announced.append):
            report = await sync(plan, RunOptions(dry_run=True))
    assert (tmp_path / "items.db").read_bytes() == before
    assert announced[-1].difference.examples[0].fields["email"].after == "ada@example.org"
    assert report.difference is not None
    assert (report.difference.changed, report.difference.examples) == (1, [])
    run = await flow_run(report)
    mine = ArtifactFilterFlowRunId(any_=[UUID(report.flow_run)])
    async with get_client() as client:
        (kept,) = await client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=mine))
    assert run.name == "items (dry run)"
    assert run.state.message.startswith("Dry run, nothing written. Completed: 2 fetched")
    assert "| Rows | 0 new, 1 changed, 1 unchanged, 0 removed |" in str(kept.data)
    assert "example." not in str(kept.data) + repr(run.state)


def test_the_form_of_a_custom_run_has_plain_fields_that_may_stay_empty() -> None:
    fields = RunOptions.model_json_schema()["properties"]
    kinds = {name: (field["type"], "default" in field) for name, field in fields.items()}
    assert kinds == {
        "full_refresh": ("boolean", True),
        "since": ("string", False),
        "until": ("string", False),
        "limit": ("integer", False),
        "wait": ("boolean", True),
        "partition": ("string", False),
        "dry_run": ("boolean", True),
    }
    assert RunOptions.model_validate({"since": "", "until": "", "limit": None}) == RunOptions()


def test_prefect_accepts_the_whole_integration_as_a_parameter(tmp_path: Path) -> None:
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.schema_tools.validation import validate

    from astrio.flows.sync import sync

    rules = [
        {"field": "id", "required": True, "in": [1, 2], "unique": True, "sanitize": ["trim"]},
        {"field": "id", "type": "email", "length": "2..3", "exists_in": {"file": "ids.csv"}},
        {"expr": "id > 1", "when": "id != 3", "severity": "warning"},
    ]
    plan = integration("http://127.0.0.1:9", tmp_path / "items.db", validate=rules)
    given = {"integration": plan.model_dump(mode="json", by_alias=True), "options": {}}
    schema = parameter_schema(sync).model_dump_for_openapi()
    validate(given, schema, raise_on_error=True, ignore_required=True)
