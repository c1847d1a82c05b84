"""Dry runs: they tell what the run will do, and leave the destination as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, query, rows_of, run, stored
from tests.support.server import answer

from astrio.blocks.errors import AstrioError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.tasks.difference import Difference
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport

RECORDS = [record(number) for number in range(35)]
SAME = {"seconds", "requests", "dry_run", "difference", "flow_run", "window"}


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty(list(RECORDS)).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


def pushed(plan: Integration, **push: Any) -> Integration:
    """Return the integration with other words in `push`."""
    return plan.model_copy(update={"push": plan.push.model_copy(update=push)})


def dry(plan: Integration, **options: Any) -> Difference:
    found = run(plan, dry_run=True, **options).difference
    assert found is not None
    return found


def counted(difference: Difference) -> tuple[int, int, int, int]:
    return difference.new, difference.changed, difference.unchanged, difference.removed


def told(report: RunReport) -> dict[str, Any]:
    """Return what a dry run and the run after it must have in common."""
    return report.model_dump(exclude=SAME)


def test_a_first_dry_run_tells_the_table_and_creates_no_file(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    report = run(plan, dry_run=True)
    assert (report.dry_run, report.state, report.records.written) == (True, "completed", 35)
    assert report.difference == Difference(
        new=35,
        table_created=True,
        columns_added={"id": "BIGINT", "name": "TEXT", "email": "TEXT", "updated_at": "TEXT"},
    )
    assert list(database.parent.iterdir()) == []


def test_the_changed_rows_are_shown_field_by_field(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    before = database.read_bytes()
    api.records[3] = record(3, name="Ann", email=None)
    api.records += [record(40), record(41)]
    del api.records[0]
    found = dry(plan)
    assert counted(found) == (2, 1, 33, 0)
    (example,) = found.examples
    assert example.model_dump() == {
        "key": {"id": 3},
        "fields": {
            "name": {"before": "Name 3", "after": "Ann"},
            "email": {"before": "user3@example.com", "after": None},
        },
    }
    assert database.read_bytes() == before


def test_the_first_ten_changed_rows_are_shown(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    api.records = [record(number, name=f"n{number}") for number in range(34, -1, -1)]
    found = dry(plan)
    assert found.changed == 35
    assert [each.key["id"] for each in found.examples] == list(range(34, 24, -1))


def test_a_row_that_two_records_change_is_shown_as_it_will_be(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    api.records = [
        record(1, name="a"), record(50), record(2, name="b"), record(1, name="c"),
        record(50, name="d"), record(2),
    ]  # fmt: skip
    found = dry(plan)
    assert counted(found) == (1, 5, 0, 0)
    shown = [(each.key, each.fields["name"].after) for each in found.examples]
    assert shown == [({"id": 1}, "c")]


def test_changes_of_the_table_are_told(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    changed = plan.model_copy(update={"map": dict(plan.map or {}) | {"name": "id", "size": "id"}})
    assert dry(changed).columns_added == {"size": "BIGINT"}
    wider = plan.model_copy(update={"map": {"id": "name", "name": "name", "updated_at": "id"}})
    found = dry(wider)
    assert found.columns_widened == {"id": "BIGINT to TEXT"}


def test_a_replace_is_compared_with_the_rows_it_takes_the_place_of(
    api: Faulty, database: Path
) -> None:
    plan = pushed(integration(api.server.url, database), mode="replace")
    assert counted(dry(plan)) == (35, 0, 0, 0)
    run(plan)
    before = database.read_bytes()
    api.records = [record(number, name="new") for number in range(30, 33)]
    api.records += [record(33), record(34), record(35)]
    found = dry(plan)
    assert counted(found) == (1, 3, 2, 30)
    assert [each.key["id"] for each in found.examples] == [30, 31, 32]
    assert found.examples[0].fields["name"].model_dump() == {"before": "Name 30", "after": "new"}
    assert database.read_bytes() == before
    assert run(plan).records.deleted == 30


def test_a_replace_without_a_key_removes_every_row(api: Faulty, database: Path) -> None:
    plan = pushed(integration(api.server.url, database), mode="replace", key=())
    run(plan)
    assert counted(dry(plan)) == (35, 0, 0, 35)


@pytest.mark.parametrize("kind", ["upsert", "append", "atomic", "replace", "version"])
def test_the_run_after_it_does_what_it_told(api: Faulty, database: Path, kind: str) -> None:
    plan = integration(
        api.server.url,
        database,
        validate=[{"field": "email", "required": True}],
        max_rejected="50%" if kind == "atomic" else None,
    )
    push: dict[str, Any] = {
        "upsert": {},
        "append": {"mode": "append", "key": ()},
        "atomic": {"mode": "append", "key": ()},
        "replace": {"mode": "replace"},
        "version": {"version": "updated_at"},
    }[kind]
    plan = pushed(plan, **push)
    for change in ({}, {"name": 5}, {"email": None}, {"updated_at": "2020"}):
        api.records[3:5] = [record(3, **change), record(4, **change)]
        before = database.read_bytes() if database.exists() else None
        foretold = run(plan, dry_run=True)
        assert (database.read_bytes() if database.exists() else None) == before
        assert told(foretold) == told(run(plan))


def test_a_dry_run_goes_on_where_an_unfinished_run_stopped(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    api.at, api.fault = 20, lambda _: answer("broken", 404)
    failed_run(plan)
    before = database.read_bytes()
    api.fault = None
    api.asked("cursor")
    report = run(plan, dry_run=True)
    assert api.asked("cursor") == ["20", "30"]
    assert report.records.written == 35
    assert report.difference is not None
    assert report.difference.new == 15
    assert database.read_bytes() == before
    assert told(run(plan)) == told(report)
    assert stored(database) == rows_of(RECORDS)


def test_a_dry_run_that_fails_tells_what_the_run_would_leave(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    before = database.read_bytes()
    api.records = [record(number, name="n") for number in range(35)]
    api.at, api.fault = 20, lambda _: answer("broken", 404)
    assert failed_run(plan, dry_run=True).kind == "api"
    assert database.read_bytes() == before
    assert query(database, "SELECT state FROM _astrio_run") == [("completed",)]


def test_a_quarantined_record_is_neither_added_nor_let_out(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database, validate=[{"field": "email", "required": True}])
    api.records[0] = record(0, email=None)
    run(plan)
    before = database.read_bytes()
    api.records[:2] = [record(0), record(1, email=None)]
    report = run(plan, dry_run=True)
    assert (report.state, report.records.rejected) == ("completed_with_rejects", 1)
    assert database.read_bytes() == before
    assert told(run(plan)) == told(report)


def test_an_interrupted_dry_run_tells_the_difference_so_far(api: Faulty, database: Path) -> None:
    plan = integration(api.server.url, database)
    run(plan)
    api.records = [record(number, name="n") for number in range(35)]
    api.at, api.fault = 20, lambda _: answer("broken", 404)
    begun = Run(plan, RunOptions(dry_run=True))
    with pytest.raises(AstrioError):
        asyncio.run(engine(begun))
    found = begun.told().difference
    assert found is not None
    assert (counted(found), len(found.examples)) == ((0, 20, 0, 0), 10)
    assert begun.account.report.difference == found.model_copy(update={"examples": []})


def test_a_webhook_takes_no_dry_run(api: Faulty, database: Path) -> None:
    plan = integration(
        api.server.url,
        database,
        push={"to": {"webhook": {"url": api.server.url, "secret": "x"}}, "table": "items"},
    )
    error = failed_run(plan, dry_run=True)
    assert (error.kind, error.exit_code) == ("configuration", 2)
    assert "cannot be taken back" in error.message
    assert api.server.requests == []
