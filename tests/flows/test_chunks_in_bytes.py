"""Chunks are bounded in bytes, so that large records do not fill the memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration
from tests.flows.running import query, run
from tests.support.connectors import Write
from tests.support.server import serve

from astrio.flows.integration import Integration

KILOBYTE = "x" * 1000
PATIENCE = 60.0


def large(number: int, kilobytes: int) -> dict[str, Any]:
    return {"id": number, "name": KILOBYTE * kilobytes, "email": "", "updated_at": ""}


def numbered(pages: int, size: int, kilobytes: int) -> Callable[[web.Request], Any]:
    """Answer pages of `size` records of so many kilobytes, by cursor."""

    def page(request: web.Request) -> Any:
        number = int(request.query.get("cursor", "0"))
        items = [large(number * size + place, kilobytes) for place in range(size)]
        return {"items": items, "next": number + 1 if number + 1 < pages else None}

    return page


def waits_for_rows(
    database: Path, at: int, answers: Callable[[web.Request], Any]
) -> Callable[[web.Request], Any]:
    """Answer from page `at` on only when something is committed; too late, with an error."""

    async def page(request: web.Request) -> Any:
        if int(request.query.get("cursor", "0")) >= at:
            async with asyncio.timeout(PATIENCE):
                while not query(database, "SELECT id FROM items LIMIT 1"):  # noqa: ASYNC110 (a file tells nobody)
                    await asyncio.sleep(0.02)
        return answers(request)

    return page


@pytest.fixture
def chunks_of_300_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_BYTES", 300_000)
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_SECONDS", 1e9)


@pytest.mark.usefixtures("chunks_of_300_kilobytes")
def test_a_few_large_records_are_committed_without_waiting_for_more(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with serve(waits_for_rows(database, 15, numbered(20, 10, 10))) as server:
        report = run(integration(server.url, database))
    assert (report.state, report.records.written) == ("completed", 200)


@pytest.mark.usefixtures("chunks_of_300_kilobytes")
def test_a_page_larger_than_a_chunk_is_one_chunk(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with serve(waits_for_rows(database, 11, numbered(13, 5, 100))) as server:
        report = run(integration(server.url, database))
    assert (report.state, report.records.written) == ("completed", 65)


UPSERT = {"table": "t", "mode": "upsert", "key": ["id"]}
LARGE_ONES = """
import sqlite3, time
from contextlib import closing

def read(context):
    for number in range(150):
        yield {"id": number, "text": "x" * 10_000}
        if number == 120:
            wait()

def wait():
    end = time.monotonic() + 20
    while True:
        with closing(sqlite3.connect("large.db")) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 't'").fetchone():
                return
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
"""


@pytest.mark.usefixtures("chunks_of_300_kilobytes")
def test_records_of_a_generator_are_weighed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astrio.tasks.python.gathering.PIECE_BYTES", 50_000)
    write("large_ones.py", LARGE_ONES)
    plan = {
        "name": "large",
        "source": {"python": "large_ones:read"},
        "map": {"id": "id", "text": "text"},
        "push": {
            "to": {"url": "sqlite:///large.db"},
            "table": "t",
            "mode": "upsert",
            "key": ["id"],
        },
    }
    assert run(Integration.model_validate(plan)).records.written == 150


PROGRAM = r"""
import asyncio, json, re, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
report = asyncio.run(run_without_prefect(Integration.model_validate(json.loads(sys.argv[1]))))
# What getrusage tells is no less than the memory of the process that started this one.
peak = re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())
print(report.records.written, int(peak[1]) // 1024)
"""


@pytest.mark.slow
def test_records_of_200_kilobytes_need_little_memory(tmp_path: Path) -> None:
    with serve(numbered(120, 25, 200)) as server:
        plan = integration(server.url, tmp_path / "a.db").model_dump_json(by_alias=True)
        program = [sys.executable, "-c", PROGRAM, plan]
        told = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    assert int(told[0]) == 3000, "records of 600 MB in all"
    assert int(told[1]) < 400, "megabytes resident at most"
