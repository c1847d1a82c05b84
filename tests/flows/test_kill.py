"""kill -9 at random moments of a sync, run again: nothing lost, nothing twice, balanced."""

from __future__ import annotations

import json
import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import DBAPIError
from tests.flows.api import cursor_api, integration, record
from tests.flows.forked import Forked, Forking, forking
from tests.support.databases import DATABASES, unpooled, url_of

RECORDS = [record(number) for number in range(50_000)]
OLD, NEW = ([record(number, name=age) for number in range(20_000)] for age in ("old", "new"))
KILLED_IN_THE_SWAP = """
import os, signal
from astrio.tasks.destinations.sql.staging import Staging
swap = Staging.take_place
def killed(self, connection):
    swap(self, connection)
    os.kill(os.getpid(), signal.SIGKILL)
Staging.take_place = killed
"""


# Runs into MySQL are killed in tests/tasks/destinations/test_mysql_faults.py too, which is short.
SLOW = {"mysql": [pytest.mark.slow]}


@pytest.fixture(params=[pytest.param(each, marks=SLOW.get(each, [])) for each in DATABASES])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)


class Database:
    """The destination, seen from outside.

    Attributes:
        alone: a process that is at work keeps all others from the file.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = unpooled(url)
        self.alone = url.startswith("duckdb")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; no rows if there is no such table."""
        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(sql))]
        except DBAPIError as error:
            if re.search("no such table|does not exist|doesn't exist", str(error)):
                return []
            raise

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        return inspect(self._engine).get_table_names()

    def progress(self, *, replaced: bool = False) -> int:
        """Return something that changes as a run commits; a file that runs need alone is let be.

        Args:
            replaced: what counts is what is to take the table's place. What a killed run has
                left of it is dropped by the next one.
        """
        if not self.alone:
            return self.staged() if replaced else self.committed()
        folder = Path(make_url(self.url).database or "").parent
        return sum(file.stat().st_size for file in folder.glob("*.duckdb*"))

    def closed(self, completed: int) -> bool:
        """Whether a run at work has closed its account, as far as can be seen meanwhile."""
        return not self.alone and self.completed() > completed

    def clear(self) -> None:
        """Drop all tables."""
        with self._engine.begin() as connection:
            for name in inspect(connection).get_table_names():
                connection.execute(text(f'DROP TABLE "{name}"'))

    def items(self) -> list[tuple[Any, ...]]:
        """Return the pushed rows."""
        return self.rows("SELECT id, name, email, updated_at FROM items ORDER BY id")

    def committed(self, table: str = "items") -> int:
        """Return how many rows are committed to a table."""
        counted = self.rows(f"SELECT count(*) FROM {table}")
        return int(counted[0][0]) if counted else 0

    def staged(self) -> int:
        """Return how many rows are committed to the staging table, if there is one."""
        return sum(self.committed(name) for name in self.tables() if "staging" in name)

    def completed(self) -> int:
        """Return how many syncs have closed their account."""
        counted = self.rows("SELECT count(*) FROM _astrio_run WHERE state LIKE 'completed%'")
        return int(counted[0][0]) if counted else 0


@dataclass
class Sync:
    """The command `run` of one file, again and again.

    Attributes:
        records: what the API serves.
    """

    database: Database
    file: Path
    forking: Forking
    chance: random.Random
    records: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def served(self, mode: str) -> Iterator[None]:
        """Serve the records and write the integration."""
        with cursor_api(self.records, size=500) as server:
            plan = integration(server.url, Path("items.db"))
            document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
            document["push"] |= {"mode": mode, "to": {"url": self.database.url}}
            self.file.write_text(yaml.safe_dump(document, sort_keys=False))
            yield

    def start(self, before: str = "") -> Forked:
        """Start a run; `before` is code that its process runs first."""
        return self.forking.begin("run", str(self.file), "--json", "--wait", before=before)

    def finish(self, process: Forked | None = None) -> dict[str, Any]:
        """Let a run complete, and return its report."""
        process = process or self.start()
        out, err = process.communicate()
        assert process.returncode == 0, err
        report: dict[str, Any] = json.loads(out)
        return report

    def kill_in_the_middle(self, *, replaced: bool = False) -> bool:
        """Kill a run once it has made progress; False if it was done earlier."""
        before = self.database.progress(replaced=replaced)
        completed = self.database.completed()
        process = self.start()
        while process.poll() is None and self.database.progress(replaced=replaced) == before:
            if self.database.closed(completed):
                break
            time.sleep(0.01)
        time.sleep(self.chance.random() * 0.4)
        if process.poll() is not None:
            self.finish(process)
            return False
        process.kill(signal.SIGKILL)
        process.communicate()
        return True


@pytest.fixture
def sync(url: str, tmp_path: Path, prefect_api: str, home: Path) -> Iterator[Sync]:
    dialect = make_url(url).get_backend_name()
    with forking(dialect, tmp_path, PREFECT_API_URL=prefect_api) as runs:
        yield Sync(Database(url), tmp_path / "items.yaml", runs, random.Random(1))


def rows_of(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(each.values()) for each in records]


def kill_and_resume(sync: Sync, kills: int, mode: str) -> None:
    killed = resumed = 0
    sync.records = RECORDS
    with sync.served(mode):
        while killed < kills or not resumed:
            killed += sync.kill_in_the_middle()
            if sync.database.completed():  # killed too late, or not at all: begin another sync
                sync.database.clear()
            else:
                resumed += 1
        report = sync.finish()
    counts = report["records"]
    assert report["state"] == "completed"
    assert counts["fetched"] == len(RECORDS)
    assert counts["written"] + counts["unchanged"] == len(RECORDS)
    assert sync.database.items() == rows_of(RECORDS)


def kill_and_replace(sync: Sync, kills: int) -> None:
    """Kill runs that replace the table: it holds the old rows, until the end of a run."""
    killed = intact = 0
    sync.records[:] = OLD
    with sync.served("replace"):
        sync.finish()
        shown = rows_of(OLD)
        while killed < kills or not intact:
            completed = sync.database.completed()
            sync.records[:] = NEW if shown == rows_of(OLD) else OLD
            killed += sync.kill_in_the_middle(replaced=True)
            if sync.database.completed() > completed:  # killed too late, or not at all
                shown = rows_of(sync.records)
            else:
                intact += 1
            assert sync.database.items() == shown
        sync.records[:] = NEW if shown == rows_of(OLD) else OLD
        in_the_swap = sync.start(KILLED_IN_THE_SWAP)
        in_the_swap.communicate()
        assert in_the_swap.returncode == -signal.SIGKILL
        assert sync.database.items() == shown
        report = sync.finish()
    assert report["records"]["fetched"] == report["records"]["written"] == len(sync.records)
    assert sync.database.items() == rows_of(sync.records)
    assert not [name for name in sync.database.tables() if "staging" in name]


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_sync_killed_at_random_moments_ends_equal_to_its_source(sync: Sync, mode: str) -> None:
    kill_and_resume(sync, kills=1, mode=mode)


def test_a_killed_replacement_leaves_the_old_rows_and_the_next_run_replaces_them(
    sync: Sync,
) -> None:
    kill_and_replace(sync, kills=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_twenty_kills(sync: Sync, mode: str) -> None:
    kill_and_resume(sync, kills=20, mode=mode)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_killed_replacements(sync: Sync) -> None:
    kill_and_replace(sync, kills=20)
