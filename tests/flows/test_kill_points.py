"""kill -9 at named points of a run: run again, the destination equals the source, once each.

The long form kills 100 runs for each database and mode: `pytest -m slow
tests/flows/test_kill_points.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool
from tests.flows.api import cursor_api, integration, record
from tests.flows.backfills import Windowed
from tests.flows.kill_points import POINTS, Killer, killing
from tests.flows.running import run

from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.parting import PartRun
from astrio.tasks.options import PartOptions
from astrio.tasks.report import RunReport

COUNT, SIZE, BAD = 300, 30, 40
GOOD = [number for number in range(COUNT) if number % BAD]
ONCE = ["rows are written", "a commit is due", "a chunk is committed", "the report is stored"]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/items.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def killer(url: str, home: Path) -> Iterator[Killer]:
    with killing(url.partition(":")[0]) as killer:
        yield killer


def database(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)


def cleared(url: str) -> None:
    with database(url).begin() as connection:
        for name in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{name}"'))


def asked(url: str, sql: str) -> list[Any]:
    with database(url).connect() as connection:
        return list(connection.execute(text(sql)).scalars())


def came_to_its_end(url: str) -> bool:
    """Whether the run that was to be killed has committed its report."""
    with database(url).connect() as connection:
        there = inspect(connection).has_table("_astrio_run")
    ended = "SELECT count(*) FROM _astrio_run WHERE state LIKE 'completed%'"
    return there and asked(url, ended) == [1]


def plan_of(server: str, url: str, mode: str) -> Integration:
    return integration(
        server,
        Path("unused.db"),
        push={"to": {"url": url}, "table": "items", "mode": mode, "key": ["id"]},
        validate=[{"field": "email", "type": "email"}],
    )


def equal(url: str, report: RunReport, ids: list[int], rejected: int) -> None:
    """Check that the destination holds these rows, each once, and that the report accounts."""
    records = report.records
    assert records.balanced
    assert records.fetched == len(ids) + rejected
    assert (records.rejected, records.failed) == (rejected, 0)
    assert asked(url, "SELECT id FROM items ORDER BY id") == ids
    kept = asked(url, "SELECT count(*) FROM _astrio_quarantine WHERE state = 'open'")
    assert kept == [rejected]


def every_point() -> Iterator[tuple[int, str]]:
    """Yield each point where it is met first, second, … fifth, as there are five chunks; again."""
    return ((nth, point) for _ in count() for nth in range(1, 6) for point in POINTS)


def kill(killer: Killer, url: str, mode: str, points: Iterator[tuple[int, str]], most: int) -> int:
    """Kill runs one after the other, each of an empty table, and let each be gone on with."""
    bad = {"email": "nobody"}
    records = [record(n, **({} if n % BAD else bad)) for n in range(COUNT)]
    killed = 0
    with cursor_api(records, size=SIZE) as server:
        plan = plan_of(server.url, url, mode)
        for nth, point in points:
            cleared(url)
            killed += killer.run(plan, point, nth, rows=2 * SIZE)
            if mode == "append" and came_to_its_end(url):  # another run would add all of it again
                assert asked(url, "SELECT id FROM items ORDER BY id") == GOOD
            else:
                equal(url, run(plan, wait=True), GOOD, COUNT - len(GOOD))
            if killed == most:
                break
    return killed


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_run_that_is_killed_at_a_point_is_gone_on_with(
    killer: Killer, url: str, mode: str
) -> None:
    assert kill(killer, url, mode, iter([(2, point) for point in ONCE[:3]]), 3) == 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_hundred_kills(killer: Killer, url: str, mode: str) -> None:
    assert kill(killer, url, mode, every_point(), 100) == 100


# Chunks of a backfill.


def chunk_killed(killer: Killer, url: str, points: Iterator[tuple[int, str]], most: int) -> int:
    """Kill the reading of a chunk beside a live stream that stands in the middle."""
    killed = 0
    options = PartOptions(since="2026-01-02", until="2026-01-08", backfill=True, wait=True)
    ids = list(range(8, 56))
    with Windowed().serving() as api:
        plan = api.integration(url)
        for nth, point in points:
            cleared(url)
            killed += killer.run(plan, point, nth, rows=6, options=options)
            equal(url, backfilled(plan, options), ids, 0)
            again = backfilled(plan, options)
            assert (again.records.fetched, again.records.written) == (48, 48)
            assert asked(url, "SELECT watermark FROM _astrio_checkpoint") == []
            if killed == most:
                break
    return killed


def backfilled(plan: Integration, options: PartOptions) -> RunReport:
    import asyncio

    return asyncio.run(engine(PartRun(plan, options)))


def test_a_chunk_that_is_killed_at_a_point_is_gone_on_with(killer: Killer, url: str) -> None:
    assert chunk_killed(killer, url, iter([(1, ONCE[3]), (2, ONCE[1])]), 2) == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_killed_chunks(killer: Killer, url: str) -> None:
    assert chunk_killed(killer, url, every_point(), 100) == 100
