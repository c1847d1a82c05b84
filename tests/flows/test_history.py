"""Runs in mode `history`: versions through incremental runs, replays, dry runs and crashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import integration, record
from tests.flows.killing import kill
from tests.flows.running import Faulty, query, run
from tests.flows.test_dry_run_model import SAME
from tests.flows.test_kill import Database

from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.replaying import Replay

RECORDS = [record(number) for number in range(35)]
OPEN = "SELECT id, name FROM items WHERE valid_to IS NULL ORDER BY id"
ALL = "SELECT id, name, valid_to IS NULL FROM items ORDER BY id, valid_from"


def plan_of(url: str, database: str, **changes: Any) -> Integration:
    push = {"mode": "history", "key": ["id"], "vanished": {"rows": "close", "most": "60%"}}
    push |= {"to": {"url": database}, "table": "items", **changes.pop("push", {})}
    return integration(url, Path("unused"), push=push, **changes)


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty(RECORDS).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, database: Path) -> str:
    found = f"sqlite:///{database}"
    return found if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def test_each_run_adds_versions_of_what_has_changed(api: Faulty, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    assert run(plan).records.written == 35
    api.records = [record(3, name="new"), *RECORDS[4:]]
    foretold = run(plan, dry_run=True)
    report = run(plan)
    assert foretold.model_dump(exclude=SAME) == report.model_dump(exclude=SAME)
    assert (report.records.written, report.records.unchanged, report.records.deleted) == (1, 31, 3)
    found = foretold.difference
    assert found is not None
    assert (found.new, found.changed, found.unchanged, found.removed) == (0, 1, 31, 3)
    assert query(database, ALL)[:5] == [
        *[(0, "Name 0", 0), (1, "Name 1", 0), (2, "Name 2", 0)],
        *[(3, "Name 3", 0), (3, "new", 1)],
    ]


def test_incremental_runs_open_each_version_when_its_record_was_changed(
    api: Faulty, database: Path
) -> None:
    source = {"incremental": {"cursor": "updated_at", "param": "since"}}
    push = {"version": "updated_at", "vanished": "keep"}
    plan = plan_of(api.server.url, f"sqlite:///{database}", source=source, push=push)
    run(plan)
    later = "2026-02-01T00:00:00Z"
    api.records = [record(3, name="new", updated_at=later)]
    assert run(plan).records.written == 1
    assert query(database, "SELECT valid_from, valid_to FROM items WHERE id = 3 ORDER BY 1") == [
        ("2026-01-01T00:00:03+00:00", "2026-02-01T00:00:00+00:00"),
        ("2026-02-01T00:00:00+00:00", None),
    ]


async def test_a_replayed_record_opens_its_version(api: Faulty, database: Path) -> None:
    plan = plan_of(
        api.server.url,
        f"sqlite:///{database}",
        validate=[{"field": "email", "type": "email"}],
        push={"to": {"url": f"sqlite:///{database}"}},
    )
    from astrio.flows.engine import run_without_prefect

    await run_without_prefect(plan)
    api.records = [record(0, name="new", email="none"), *RECORDS[1:]]
    report = await run_without_prefect(plan)
    assert (report.records.rejected, report.records.deleted) == (1, 0)
    mended = plan.model_copy(update={"rules": ()})
    assert (await engine(Replay(mended))).records.written == 1
    assert query(database, ALL)[:2] == [(0, "Name 0", 0), (0, "new", 1)]


POINTS = [
    ("destination:SqlDestination.commit", "after", 2),
    ("versions:Versions.put", "before", 2),
    ("versions:Versions.put", "after", 2),
    ("vanishing:Vanishing.close", "after", 1),
]


def kill_and_run_again(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    """Kill a run that changes rows, and let the next one end as if nothing had happened."""
    plan = plan_of(api.server.url, url)
    run(plan)
    api.records = [record(number, name="new") for number in range(3, 40)]
    kill(plan, point, place, number)
    report = run(plan)
    assert (report.records.fetched, report.records.deleted, report.warnings) == (37, 3, [])
    found = Database(url)
    assert found.rows(OPEN) == [(number, "new") for number in range(3, 40)]
    assert found.rows("SELECT count(*) FROM items") == [(35 + 37,)]
    ends = "SELECT count(DISTINCT valid_from) FROM items"
    assert found.rows(ends) == [(2,)]  # one for each logical run


def test_a_run_killed_in_its_second_chunk_is_gone_on_with(api: Faulty, url: str) -> None:
    kill_and_run_again(api, url, "versions:Versions.put", "after", 2)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "place", "number"), POINTS)
def test_killed_at_every_point(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    kill_and_run_again(api, url, point, place, number)
