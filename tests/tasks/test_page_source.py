"""Pages that no API yields go through the same chain, and leave the stream's own reading alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, query, rows_of, run, stored, watermark

from astrio.flows.engine import engine
from astrio.flows.planning import Run
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.options import RunOptions
from astrio.tasks.page_source import PageSource

INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}


class Given(PageSource):
    """Yields these records in one page; notes the session that it was given."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = records
        self.session: ApiClient | None = None

    async def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:
        self.session = session
        count = len(self.records)
        yield Page(1, records=self.records, fetched=count, stop_reason="single_page")


def refuse(_: web.Request) -> web.Response:
    return web.Response(status=400)


def test_given_pages_are_mapped_written_and_accounted_for(tmp_path: Path) -> None:
    plan = integration("http://127.0.0.1:9", tmp_path / "a.db")
    pages = Given(record(1), record(2))
    report = asyncio.run(engine(Run(plan, RunOptions(), pages)))
    assert (report.records.fetched, report.records.written) == (2, 2)
    assert report.state == "completed"
    assert stored(tmp_path / "a.db") == rows_of([record(1), record(2)])
    assert pages.session is None


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_an_unfinished_run_goes_on_after_given_pages_were_written(
    tmp_path: Path, mode: str
) -> None:
    database = tmp_path / "a.db"
    with Faulty([record(number) for number in range(30)], 10, refuse).serving() as api:
        push = {"to": {"url": f"sqlite:///{database}"}, "table": "items", "mode": mode}
        keyed = push | ({"key": ["id"]} if mode == "upsert" else {})
        plan = integration(api.server.url, database, push=keyed, source=INCREMENTAL)
        failed_run(plan)
        before = query(database, "SELECT watermark, resume FROM _astrio_checkpoint")
        asyncio.run(engine(Run(plan, RunOptions(), Given(record(99)))))
        assert query(database, "SELECT watermark, resume FROM _astrio_checkpoint") == before
        assert watermark(database) is None
        api.fault = None
        api.asked("cursor")
        report = run(plan)
        assert api.asked("cursor")[0] == "10"
    assert report.records.fetched == 30
    assert len(stored(database)) == 31


def test_given_pages_may_ask_for_a_session_of_the_api(tmp_path: Path) -> None:
    with Faulty([]).serving() as api:
        pages = Given(record(1))
        plan = integration(api.server.url, tmp_path / "a.db")
        asyncio.run(engine(Run(plan, RunOptions(), pages, connects=True)))
    assert pages.session is not None
