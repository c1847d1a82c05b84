"""The flow `backfill` under a real Prefect server: chunks, what is remembered, what is left."""

from __future__ import annotations

import asyncio
import threading
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from tests.flows.backfills import Windowed, heard, record, records, sqlite_url
from tests.flows.running import query, stored_ids, watermark

from astrio.blocks.errors import AstrioError
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks.options import BackfillOptions
from astrio.tasks.report import RunReport

PATIENCE = 90.0
pytestmark = pytest.mark.usefixtures("prefect_api", "home")


async def backfilled(plan: Integration, since: str, until: str, **options: Any) -> RunReport:
    from astrio.flows.backfill import backfill

    return await backfill(plan, BackfillOptions(since=since, until=until, **options))


async def failed_backfill(plan: Integration, since: str, until: str, **options: Any) -> RunReport:
    """Run a backfill that must fail, and return the report that is announced."""
    with heard() as reports, pytest.raises(AstrioError):
        await backfilled(plan, since, until, **options)
    return reports[-1]


async def test_a_range_is_read_chunk_by_chunk_and_one_report_balances(tmp_path: Path) -> None:
    with Windowed().serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        report = await backfilled(plan, "2026-01-02", "2026-01-05")
    assert sorted(api.asked) == [
        (f"2026-01-0{day}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z") for day in (2, 3, 4)
    ]
    assert stored_ids(tmp_path / "items.db") == list(range(8, 32))
    assert (report.state, report.records.fetched, report.records.written) == ("completed", 24, 24)
    assert report.records.claimed == 24
    assert report.records.balanced
    assert [(each.part, each.state) for each in report.parts] == [
        (f"2026-01-0{day}..2026-01-0{day + 1}", "completed") for day in (2, 3, 4)
    ]


async def test_each_chunk_is_a_flow_run_of_its_own_with_its_window_and_tag(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client

    with Windowed().serving() as api:
        plan = api.integration(sqlite_url(tmp_path), tags=["shop"])
        report = await backfilled(plan, "2026-01-02", "2026-01-04")
    async with get_client() as client:
        whole = await client.read_flow_run(UUID(report.flow_run))
        runs = [await client.read_flow_run(UUID(each.flow_run)) for each in report.parts]
    assert whole.state is not None
    assert whole.name == "items backfill since 2026-01-02 until 2026-01-04"
    assert whole.state.name == "Completed"
    assert runs[0].name == "items 2026-01-02..2026-01-03 (backfill)"
    assert {"shop", "backfill"} <= set(runs[0].tags)
    since = [each.parameters["options"]["since"] for each in runs]
    assert since == ["2026-01-02", "2026-01-03"]
    assert {each.state.name for each in runs if each.state} == {"Completed"}


async def test_a_backfill_leaves_the_watermark_and_the_resume_point_of_the_live_stream(
    tmp_path: Path,
) -> None:
    database = tmp_path / "items.db"
    state = "SELECT watermark, resume FROM _astrio_checkpoint WHERE stream = 'items:items'"
    with Windowed().serving() as api:
        plan = api.integration(sqlite_url(tmp_path))

        async def stop(request: Any) -> None:
            if request.query.get("cursor") == "6":
                api.broken.add(request.query["since"][:10])

        await run_without_prefect(plan)
        mark = watermark(database)
        api.records += [record(80), *(record(number) for number in range(81, 96))]
        api.before = stop
        with pytest.raises(AstrioError):
            await run_without_prefect(plan)
        before = query(database, state)
        assert before[0][1] is not None
        api.before = None
        api.broken.clear()
        await backfilled(plan, "2026-01-02", "2026-01-05")
        assert query(database, state) == before
        report = await run_without_prefect(plan)
    assert report.records.fetched == 16 + 1
    assert watermark(database) > mark
    assert stored_ids(database) == list(range(96))


async def test_chunks_that_are_done_are_not_read_again_and_their_figures_stay_in_the_report(
    tmp_path: Path,
) -> None:
    with Windowed(broken={"2026-01-03"}).serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        first = await failed_backfill(plan, "2026-01-02", "2026-01-05")
        assert [each.state for each in first.parts] == ["completed", "failed", "completed"]
        assert first.error is not None
        assert "1 of 3 parts failed. 2026-01-03..2026-01-04: " in first.error.message
        assert "goes on" in first.error.advice or "gone on" in first.error.advice
        api.broken.clear()
        api.asked.clear()
        second = await backfilled(plan, "2026-01-02", "2026-01-05")
        assert api.asked == [("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")]
        assert [each.state for each in second.parts] == ["done_before", "completed", "done_before"]
        assert (second.records.fetched, second.records.written) == (24, 24)
        api.asked.clear()
        third = await backfilled(plan, "2026-01-02", "2026-01-05", again=True)
    assert len(api.asked) == 3
    assert (third.records.written, third.records.unchanged) == (0, 24)
    assert stored_ids(tmp_path / "items.db") == list(range(8, 32))


async def test_another_mapping_makes_a_backfill_anew(tmp_path: Path) -> None:
    with Windowed().serving() as api:
        await backfilled(api.integration(sqlite_url(tmp_path)), "2026-01-02", "2026-01-04")
        changed = {"id": "id", "name": "upper(name)", "updated_at": "updated_at"}
        plan = api.integration(sqlite_url(tmp_path), map=changed)
        report = await backfilled(plan, "2026-01-02", "2026-01-04")
    assert report.records.written == 16
    assert query(tmp_path / "items.db", "SELECT name FROM items WHERE id = 9") == [("NAME 9",)]


async def test_after_three_failures_in_a_row_no_further_chunk_begins(tmp_path: Path) -> None:
    broken = {f"2026-01-0{day}" for day in range(1, 10)}
    with Windowed(broken=broken).serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        report = await failed_backfill(plan, "2026-01-01", "2026-01-10", parallel=1)
    assert [each.state for each in report.parts] == ["failed"] * 3 + ["not_begun"] * 6
    assert len(api.asked) == 3


async def test_only_columns_of_rows_that_are_there_are_filled(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with Windowed().serving() as api:
        await backfilled(api.integration(sqlite_url(tmp_path)), "2026-01-02", "2026-01-03")
        api.records = [each | {"name": "changed", "size": each["id"]} for each in records()]
        columns = {"id": "id", "name": "name", "updated_at": "updated_at", "size": "size"}
        plan = api.integration(sqlite_url(tmp_path), map=columns)
        report = await backfilled(plan, "2026-01-02", "2026-01-04", columns=("size",))
    counts = report.records
    assert (counts.fetched, counts.filtered, counts.written) == (16, 8, 8)
    assert query(database, "SELECT id, name, size FROM items ORDER BY id") == [
        (number, f"Name {number}", number) for number in range(8, 16)
    ]


def look_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two backfills, one chunk at a time each, see the same before either begins one."""
    from astrio.flows import backfill

    both, calls, held = threading.Barrier(2), count(), backfill.parts_held

    def together(*stream: Any) -> set[str]:
        found = held(*stream)
        if next(calls) < 2:
            both.wait(PATIENCE)
        return found

    monkeypatch.setattr(backfill, "parts_held", together)


async def test_of_two_that_choose_one_chunk_at_once_one_takes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = threading.Event()

    async def hold(request: web.Request) -> None:
        """Answer for the first chunk when another is asked for: who waits for it would hang."""
        if not request.query["since"].startswith("2026-01-02"):
            another.set()
        assert await asyncio.to_thread(another.wait, PATIENCE)

    look_at_the_same_moment(monkeypatch)
    days = ("2026-01-02", "2026-01-05")
    with Windowed(before=hold).serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        both = (backfilled(plan, *days, parallel=1) for _ in range(2))
        one, other = await asyncio.gather(*both)
    assert len(api.asked) == len(set(api.asked)) == 3
    assert stored_ids(tmp_path / "items.db") == list(range(8, 32))
    for report in (one, other):
        assert (report.state, report.records.written) == ("completed", 24)
    assert await runs_named("Left to another") >= 1


async def runs_named(state: str) -> int:
    """Return how many flow runs are in a state of that name."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateName,
    )

    name = FlowRunFilterState(name=FlowRunFilterStateName(any_=[state]))
    async with get_client() as client:
        return len(await client.read_flow_runs(flow_run_filter=FlowRunFilter(state=name)))
