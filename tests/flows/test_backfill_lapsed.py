"""A backfill that stands still for so long that another takes its chunk over."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.backfills import Windowed, sqlite_url
from tests.flows.running import stored_ids

from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.options import BackfillOptions, PartOptions
from astrio.tasks.report import RunReport

PATIENCE = 90.0
CHUNK = "2026-01-02"
LAPSED = "UPDATE _astrio_lease SET expires_at = '2026-01-01T00:00:00Z' WHERE holder IS NOT NULL"
TAKEN_OVER = (
    "UPDATE _astrio_lease SET holder = 'another', host = 'elsewhere', machine = NULL "
    "WHERE holder IS NOT NULL"
)
pytestmark = pytest.mark.usefixtures("prefect_api", "home")


@pytest.fixture(autouse=True)
def _unrenewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "RENEW_SECONDS", 10_000.0)


def execute(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection, connection:
        connection.execute(statement)


async def backfilled(plan: Integration) -> RunReport:
    from astrio.flows.backfill import backfill

    return await backfill(plan, BackfillOptions(since=CHUNK, until="2026-01-05", parallel=1))


@pytest.mark.parametrize("ends_first", [True, False])
async def test_a_chunk_that_was_taken_over_is_left_to_who_has_it(
    tmp_path: Path, ends_first: bool
) -> None:
    lapsed, resumed, another = threading.Event(), threading.Event(), threading.Event()
    asked: list[str] = []

    async def hold(request: web.Request) -> None:
        """Answer the first run for its chunk when the second has asked for it, or has ended."""
        asked.append(request.query["since"][:10])
        if request.query.get("cursor"):
            return
        if asked.count(CHUNK) == 1 and asked[-1] == CHUNK:
            await asyncio.to_thread(execute, tmp_path / "items.db", LAPSED)
            lapsed.set()
            assert await asyncio.to_thread(resumed.wait, PATIENCE)
        elif ends_first:
            return
        elif asked[-1] == CHUNK:
            resumed.set()
            assert await asyncio.to_thread(another.wait, PATIENCE)
        else:
            another.set()

    with Windowed(before=hold).serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        first = asyncio.create_task(backfilled(plan))
        assert await asyncio.to_thread(lapsed.wait, PATIENCE)
        second = await backfilled(plan)
        resumed.set()
        reports = [await first, second]
    windows = [since[:10] for since, _ in api.asked]
    assert sorted(windows) == [CHUNK, CHUNK, "2026-01-03", "2026-01-04"]
    assert stored_ids(tmp_path / "items.db") == list(range(8, 32))
    for report in reports:
        assert (report.state, report.records.fetched) == ("completed", 24)
        assert report.records.written + report.records.unchanged == 24


async def test_one_of_the_last_chunks_that_was_taken_over_is_left_too(tmp_path: Path) -> None:
    from astrio.flows.part import part

    async def lose(_: Any) -> None:
        await asyncio.to_thread(execute, tmp_path / "items.db", TAKEN_OVER)

    with Windowed(before=lose).serving() as api:
        plan = api.integration(sqlite_url(tmp_path))
        chunk = PartOptions(since=CHUNK, until="2026-01-03", backfill=True, wait=True)
        assert await part(plan, chunk) is None
    assert stored_ids(tmp_path / "items.db") == []
