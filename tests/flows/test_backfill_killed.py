"""Four workers on one backfill, some of them killed: started again, each chunk is done once."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from tests.flows.backfills import Windowed, records
from tests.support.command import begin, ended

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
DAYS, WORKERS, KILLS = 30, 4, 6


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/items.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.mark.parametrize("version", [None, "updated_at"])
def test_four_workers_of_which_some_are_killed_leave_the_source_as_it_is(
    url: str, tmp_path: Path, prefect_api: str, version: str | None
) -> None:
    chance, killed = random.Random(1), 0
    with Windowed(records(DAYS)).serving() as api:
        push = {} if version is None else {"version": version}
        file = tmp_path / "items.yaml"
        file.write_text(yaml.safe_dump(api.document(url, push=push)))
        words = ("--since", "2026-01-01", "--until", "2026-01-31", "--parallel", "2", "--json")
        variables = {"PREFECT_API_URL": prefect_api}

        def start() -> Any:
            return begin("backfill", str(file), *words, folder=tmp_path, environment=variables)

        workers = [start() for _ in range(WORKERS)]
        while killed < KILLS and len(api.asked) < DAYS:
            asked = len(api.asked)
            while len(api.asked) == asked and any(each.poll() is None for each in workers):
                time.sleep(0.05)
            time.sleep(chance.random())
            place = chance.randrange(WORKERS)
            if workers[place].poll() is None:
                workers[place].send_signal(signal.SIGKILL)
                workers[place].communicate()
                killed += 1
                workers[place] = start()
        with ThreadPoolExecutor(WORKERS) as pool:  # each is read, so that none waits to be
            results = [*pool.map(partial(ended, patience=900), workers)]
    assert killed > 0
    assert [result for result in results if result.code] == []
    reports = [result.json() for result in results]
    for report in reports:
        counts = report["records"]
        assert counts["fetched"] == counts["claimed"] == DAYS * 8
        assert counts["written"] + counts["unchanged"] == DAYS * 8
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    with create_engine(driver, poolclass=NullPool).connect() as connection:
        ids = list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())
        left = connection.execute(text("SELECT pid FROM _astrio_lease WHERE pid > 0")).scalars()
        holders = [pid for pid in left if Path(f"/proc/{pid}").exists()]
    assert ids == list(range(DAYS * 8))
    assert holders == []  # one that was killed after its chunk was done has left a row, and is dead
