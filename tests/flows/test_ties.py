"""Rows that are only added: the records at the boundary of two runs are added once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import record
from tests.flows.running import failed_run, query, run
from tests.flows.test_incremental_runs import FAR_FUTURE, at, incremental
from tests.support.server import answer, serve

from astrio.flows.integration import Integration
from astrio.tasks.report import RunReport


class Growing:
    """Records since a time, by cursor pages of four; broken at a record until mended."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)
        self.broken: int | None = None

    def __call__(self, request: web.Request) -> Any:
        since = request.query.get("since", "")
        chosen = [each for each in self.records if each["updated_at"] >= since]
        start = int(request.query.get("cursor", "0"))
        page = chosen[start : start + 4]
        if any(each["id"] == self.broken for each in page):
            return answer({"error": "broken"}, 400)
        return {"items": page, "next": start + 4 if start + 4 < len(chosen) else None}


def appending(url: str, database: Path, **more: Any) -> Integration:
    plan = incremental(url, database, mode="append", **more)
    return plan.model_copy(update={"push": plan.push.model_copy(update={"key": ()})})


def ids(database: Path) -> list[int]:
    return [row[0] for row in query(database, "SELECT id FROM items ORDER BY id")]


def told(report: RunReport) -> tuple[int, int, int]:
    return report.records.fetched, report.records.written, report.records.unchanged


def test_ties_are_added_once_and_those_that_came_since_too(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    api = Growing(record(1), record(2), record(3, updated_at=at(2)))
    with serve(api) as server:
        plan = appending(server.url, database)
        assert told(run(plan)) == (3, 3, 0)
        assert told(run(plan)) == (2, 0, 2)
        api.records += [record(4, updated_at=at(2)), record(5, updated_at=at(9))]
        assert told(run(plan)) == (4, 2, 2)
        assert told(run(plan)) == (1, 0, 1)
    assert ids(database) == [1, 2, 3, 4, 5]


def test_a_record_that_has_changed_at_the_boundary_is_added_again(tmp_path: Path) -> None:
    database, api = tmp_path / "items.db", Growing(record(1))
    with serve(api) as server:
        plan = appending(server.url, database)
        run(plan)
        api.records = [record(1, name="Other")]
        assert told(run(plan)) == (1, 1, 0)
    assert ids(database) == [1, 1]


def test_a_record_from_the_future_is_added_once(tmp_path: Path) -> None:
    database, api = tmp_path / "items.db", Growing(record(1), record(2, updated_at=FAR_FUTURE))
    with serve(api) as server:
        plan = appending(server.url, database)
        run(plan)
        assert told(run(plan)) == (1, 0, 1)
        api.records.append(record(3, updated_at=FAR_FUTURE))
        assert told(run(plan)) == (2, 1, 1)
    assert ids(database) == [1, 2, 3]


@pytest.mark.parametrize("in_order", [False, True])
def test_a_run_that_goes_on_knows_the_ties_of_its_first_part(
    tmp_path: Path, in_order: bool
) -> None:
    database = tmp_path / "items.db"
    api = Growing(*(record(n, updated_at=at(min(n, 3))) for n in range(1, 7)))
    api.broken = 6
    with serve(api) as server:
        plan = appending(server.url, database, sorted=in_order)
        failed_run(plan)
        assert ids(database) == [1, 2, 3, 4]
        api.broken = None
        assert told(run(plan)) == (6, 6, 0)
        assert told(run(plan)) == (4, 0, 4)
    assert ids(database) == [1, 2, 3, 4, 5, 6]


def test_a_full_refresh_adds_everything_again(tmp_path: Path) -> None:
    database, api = tmp_path / "items.db", Growing(record(1))
    with serve(api) as server:
        plan = appending(server.url, database)
        run(plan)
        assert told(run(plan, full_refresh=True)) == (1, 1, 0)
        assert told(run(plan)) == (1, 0, 1)
    assert ids(database) == [1, 1]


def test_records_without_a_cursor_are_always_added(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with serve(lambda _: {"items": [{"id": 9, "updated_at": None}], "next": None}) as server:
        plan = appending(server.url, database)
        run(plan)
        run(plan)
    assert ids(database) == [9, 9]
