"""Runs with `push.children`: reports, dry runs, replays, and crashes at named points."""

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

from astrio.blocks.errors import ConfigurationError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.replaying import Replay
from astrio.tasks.destinations.opening import open_destination

LINES = "SELECT items_id, _astrio_position, sku FROM item_lines ORDER BY 1, 2"


def with_lines(number: int, *skus: str, **changes: Any) -> dict[str, Any]:
    return record(number, lines=[{"sku": sku} for sku in skus], **changes)


RECORDS = [with_lines(number, f"a{number}", f"b{number}") for number in range(35)]


def plan_of(url: str, database: str, **changes: Any) -> Integration:
    push = {"mode": "upsert", "key": ["id"], "children": {"lines": "item_lines"}}
    push |= {"to": {"url": database}, "table": "items", **changes.pop("push", {})}
    mapping = {"id": "id", "name": "name", "lines": "lines"}
    return integration(url, Path("unused"), push=push, map=mapping, **changes)


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


def test_a_record_counts_once_however_many_children_it_has(api: Faulty, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    assert run(plan).records.written == 35
    assert query(database, "SELECT count(*) FROM item_lines") == [(70,)]
    api.records = [with_lines(0, "new"), *RECORDS[1:], with_lines(50, "x")]
    foretold = run(plan, dry_run=True)
    report = run(plan)
    assert foretold.model_dump(exclude=SAME) == report.model_dump(exclude=SAME)
    assert (report.records.written, report.records.unchanged) == (2, 34)
    assert foretold.difference is not None
    assert (foretold.difference.new, foretold.difference.changed) == (1, 1)
    assert query(database, LINES)[:2] == [(0, 1, "new"), (1, 1, "a1")]


async def test_a_replayed_record_brings_its_children(api: Faulty, database: Path) -> None:
    from astrio.flows.engine import run_without_prefect

    rules = [{"field": "name", "length": 9}]
    plan = plan_of(api.server.url, f"sqlite:///{database}", validate=rules, max_rejected="100%")
    assert (await run_without_prefect(plan)).records.rejected > 0
    mended = plan.model_copy(update={"rules": ()})
    await engine(Replay(mended))
    assert query(database, "SELECT count(*) FROM item_lines") == [(70,)]


@pytest.mark.parametrize("wrong", [{"mode": "append"}, {"key": []}, {"contract": "freeze"}])
def test_what_children_do_not_go_with_is_refused(database: Path, wrong: dict[str, Any]) -> None:
    plan = plan_of("https://shop.example.com", f"sqlite:///{database}", push=wrong)
    with pytest.raises(ConfigurationError, match=r"push\.children needs"):
        open_destination(plan.push, "items")


POINTS = [
    ("destination:SqlDestination.commit", "after", 2),
    ("families:Families.replace", "before", 2),
    ("families:Families.replace", "after", 2),
    ("families:_ChildTable.add", "before", 2),
]


def kill_and_run_again(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    """Kill a run that changes children, and let the next one end as if nothing had happened."""
    plan = plan_of(api.server.url, url)
    run(plan)
    api.records = [with_lines(number, "new", name="new") for number in range(35)]
    kill(plan, point, place, number)
    mixed = "SELECT count(*) FROM items JOIN item_lines ON id = items_id WHERE "
    found = Database(url)
    assert found.rows(f"{mixed} (name = 'new') <> (sku = 'new')") == [(0,)]
    report = run(plan)
    assert (report.records.fetched, report.records.balanced) == (35, True)
    assert found.rows(LINES) == [(number, 1, "new") for number in range(35)]


def test_a_run_killed_among_children_is_gone_on_with(api: Faulty, url: str) -> None:
    kill_and_run_again(api, url, "families:_ChildTable.add", "before", 2)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "place", "number"), POINTS)
def test_killed_at_every_point(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    kill_and_run_again(api, url, point, place, number)
