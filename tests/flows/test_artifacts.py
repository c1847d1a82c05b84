"""What a run leaves in the Prefect UI: progress while it is at work, its report afterwards."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from astrio.flows import artifacts
from astrio.flows.artifacts import artifact_key, progress_artifact, report_artifact
from astrio.tasks.progress import Progress, announce
from astrio.tasks.report import RunReport

pytestmark = pytest.mark.usefixtures("prefect_api", "home")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(artifacts, "UPDATE_SECONDS", 0.05)


def named() -> str:
    return f"items_{uuid4().hex}"


async def kept(name: str, kind: str) -> list[Any]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    chosen = ArtifactFilter(key=ArtifactFilterKey(any_=[artifact_key(name, kind)]))
    async with get_client() as client:
        return list(await client.read_artifacts(artifact_filter=chosen))


async def until(name: str, told: str) -> Any:
    """Wait until the progress tells so; return it."""
    for _ in range(200):
        found = await kept(name, "progress")
        if found and told in (found[0].description or ""):
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError(f"never: {told}")


async def test_progress_is_told_as_a_share_of_what_the_api_claims() -> None:
    name = named()
    async with progress_artifact(name):
        announce(Progress(pages=1, fetched=250, rejected=0, claimed=1000))
        announce(Progress(pages=2, fetched=500, rejected=3, claimed=1000))
        told = "500 of 1,000 records in 2 pages, 3 rejected"
        assert (await until(name, told)).data == 50.0


async def test_without_a_total_the_records_are_told_and_no_share() -> None:
    name = named()
    async with progress_artifact(name):
        announce(Progress(pages=2, fetched=500, rejected=0, claimed=None))
        assert (await until(name, "500 records in 2 pages")).data == 0.0


async def test_more_than_the_api_claims_is_not_yet_the_whole() -> None:
    name = named()
    async with progress_artifact(name):
        announce(Progress(pages=2, fetched=500, rejected=0, claimed=10))
        assert (await until(name, "500 of 10 records")).data == 99.0


async def test_the_bar_is_full_when_the_run_has_ended() -> None:
    name = named()
    async with progress_artifact(name):
        await until(name, "Waiting for the first page.")
        announce(Progress(pages=1, fetched=7, rejected=0, claimed=None))
        announce(RunReport(integration=name))
    (last,) = await kept(name, "progress")
    assert (last.data, last.description) == (100.0, "7 records in 1 pages, 0 rejected")


async def test_a_short_run_leaves_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "FIRST_SECONDS", 60)
    name = named()
    async with progress_artifact(name):
        announce(Progress(pages=1, fetched=7, rejected=0, claimed=None))
    assert await kept(name, "progress") == []


@pytest.mark.parametrize("name", ["shop_orders", "_", "-a-"])
async def test_a_report_is_kept_under_any_name_of_an_integration(name: str) -> None:
    await report_artifact(RunReport(integration=name, state="completed"))
    assert any(f"## {name}\n" in each.data for each in await kept(name, "report"))


async def test_names_that_differ_in_what_a_key_cannot_hold_keep_their_reports_apart() -> None:
    keys = {artifact_key(name, "report") for name in ("a-b", "a_b", "-a-b", "a-b-", "_", "__")}
    assert len(keys) == 6
    assert artifact_key("a-b", "report") == "a-b-report"


async def test_a_report_stands_beside_the_runs_before_it() -> None:
    name = named()
    await report_artifact(
        RunReport(integration=name, state="completed"),
        [
            {
                "state": "completed_with_rejects",
                "started_at": "2026-01-02T03:04:05.678+00:00",
                "records": {"fetched": 1200, "written": 1190, "rejected": 10},
                "seconds": 2.5,
            },
            {"state": "running", "started_at": "2026-01-01T00:00:00+00:00"},
        ],
    )
    (found,) = await kept(name, "report")
    assert "| 2026-01-02T03:04:05 | Completed with rejects | 1,200 |  | 10 | 1,190 |" in found.data
    assert "| 2026-01-01T00:00:00 | running |" in found.data
