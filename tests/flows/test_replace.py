"""Runs in mode `replace`: the old rows until the new ones are whole, and a balanced account."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, last_report, query, rows_of, run, stored
from tests.support.server import answer

from astrio.blocks.errors import AstrioError
from astrio.flows.engine import _stages
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.tasks import pushing
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.staging import Staging
from astrio.tasks.options import RunOptions

RECORDS = [record(number) for number in range(35)]
NEWER = [record(number, name="new") for number in range(20, 60)]


def replacing(url: str, database: Path, key: tuple[str, ...] = ("id",), **more: Any) -> Integration:
    plan = integration(url, database, **more)
    push = plan.push.model_copy(update={"mode": "replace", "key": key})
    return plan.model_copy(update={"push": push})


def leftovers(database: Path) -> list[tuple[Any, ...]]:
    return query(database, "SELECT name FROM sqlite_master WHERE name LIKE '%staging%'")


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty(RECORDS).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


def test_each_run_replaces_the_rows_of_the_one_before(api: Faulty, database: Path) -> None:
    plan = replacing(api.server.url, database)
    first = run(plan).records
    assert (first.written, first.unchanged, first.deleted) == (35, 0, 0)
    api.records = NEWER
    second = run(plan)
    assert (second.records.written, second.records.deleted) == (40, 20)
    assert second.records.balanced
    assert stored(database) == rows_of(NEWER)
    assert last_report(database) == second
    assert leftovers(database) == []


def test_rows_without_a_key_are_all_kept_and_all_replaced(api: Faulty, database: Path) -> None:
    plan = replacing(api.server.url, database, key=())
    api.records = [*RECORDS, *RECORDS[:5]]
    assert run(plan).records.deleted == 0
    assert run(plan).records.deleted == 40
    assert len(stored(database)) == 40


def test_an_empty_list_empties_the_table(api: Faulty, database: Path) -> None:
    plan = replacing(api.server.url, database)
    run(plan)
    api.records = []
    report = run(plan)
    assert (report.state, report.records.deleted, report.pages) == ("completed", 35, 1)
    assert query(database, "SELECT count(*) FROM items") == [(0,)]


def test_an_empty_list_makes_no_table(api: Faulty, database: Path) -> None:
    api.records = []
    run(replacing(api.server.url, database))
    assert query(database, "SELECT name FROM sqlite_master WHERE name = 'items'") == []


@pytest.mark.parametrize("at", [0, 20])
def test_an_api_that_fails_leaves_the_old_rows(api: Faulty, database: Path, at: int) -> None:
    plan = replacing(api.server.url, database)
    run(plan)
    api.records, api.at, api.fault = NEWER, at, lambda _: answer("broken", 404)
    assert failed_run(plan).kind == "api"
    kept = last_report(database)
    assert (kept.state, kept.records.fetched, kept.records.failed) == ("failed", at, at)
    assert (kept.records.written, kept.records.deleted, kept.records.balanced) == (0, 0, True)
    assert stored(database) == rows_of(RECORDS)
    assert leftovers(database) == []
    api.fault = None
    assert run(plan).records.written == 40
    assert api.asked("cursor")[-4:] == [None, "10", "20", "30"]
    assert stored(database) == rows_of(NEWER)


def judged(plan: Integration) -> Integration:
    source = plan.source.model_copy(
        update={"paginate": plan.source.paginate.model_copy(update={"total": "$.total"})}
    )
    return plan.model_copy(update={"source": source})


def test_another_number_than_the_api_claims_leaves_the_old_rows(
    api: Faulty, database: Path
) -> None:
    plan = judged(replacing(api.server.url, database))
    api.total = 35
    run(plan)
    api.records, api.total = NEWER, 41
    assert failed_run(plan).kind == "imbalance"
    assert stored(database) == rows_of(RECORDS)
    assert leftovers(database) == []


def test_what_the_first_reading_staged_is_forgotten_by_the_second(
    api: Faulty, database: Path
) -> None:
    plan = judged(replacing(api.server.url, database, key=()))
    asked: list[int] = []

    def settling(request: web.Request) -> Any:
        start = int(request.query.get("cursor", "0"))
        asked.append(start)
        chosen = RECORDS[20:31] if asked.count(0) == 1 else RECORDS[:12]
        page = chosen[start : start + 10]
        return {"items": page, "next": 10 if start == 0 else None, "total": 12}

    api.fault = settling
    report = run(plan)
    assert asked == [0, 10, 0, 10]
    assert (report.records.fetched, report.records.written) == (12, 12)
    assert stored(database) == rows_of(RECORDS[:12])


@pytest.mark.parametrize(("allowed", "bad"), [(None, 40), (3, 4), ("5%", 3)])
def test_too_many_rejects_leave_the_old_rows_and_are_kept(
    api: Faulty, database: Path, allowed: Any, bad: int
) -> None:
    rule = [{"field": "email", "type": "email"}]
    plan = replacing(api.server.url, database, validate=rule, maxRejected=allowed)
    run(plan)
    spoilt = [record(number, name="new", email="none") for number in range(20, 20 + bad)]
    api.records = spoilt + NEWER[bad:]
    assert failed_run(plan).kind == "rejected"
    assert stored(database) == rows_of(RECORDS)
    assert query(database, "SELECT count(*) FROM _astrio_quarantine") == [(bad,)]


def test_a_table_that_refuses_every_row_keeps_its_own(api: Faulty, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT, email TEXT, "
            "updated_at TEXT, CHECK (name LIKE 'Name%'))"
        )
    plan = replacing(api.server.url, database)
    run(plan)
    api.records = NEWER
    assert "the destination rejected all records" in failed_run(plan).message
    assert last_report(database).records.failed == 40
    assert stored(database) == rows_of(RECORDS)


def test_columns_that_nothing_fills_are_told(api: Faulty, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE items (id BIGINT PRIMARY KEY, zip TEXT NOT NULL)")
    error = failed_run(replacing(api.server.url, database))
    assert (error.kind, "fills them: zip." in error.message) == ("destination", True)


@pytest.mark.parametrize(
    "options", [{"limit": 5}, {"since": "2026-01-01"}, {"until": "2026-01-01", "limit": 1}]
)
def test_an_option_that_reads_only_a_part_is_refused(
    api: Faulty, database: Path, options: dict[str, Any]
) -> None:
    error = failed_run(replacing(api.server.url, database), **options)
    assert error.kind == "configuration"
    assert all(f"--{name}" in error.message for name in options)
    assert api.asked("cursor") == []
    assert not database.exists()


def test_an_incremental_source_is_refused(api: Faulty, database: Path) -> None:
    source = {"incremental": {"cursor": "updated_at", "param": "since"}}
    error = failed_run(replacing(api.server.url, database, source=source))
    assert (error.kind, "does not read again" in error.message) == ("configuration", True)


def test_a_reading_that_max_pages_ends_replaces_nothing(api: Faulty, database: Path) -> None:
    plan = replacing(api.server.url, database)
    run(plan)
    api.records = NEWER
    few = plan.source.paginate.model_copy(update={"max_pages": 2})
    source = plan.source.model_copy(update={"paginate": few})
    error = failed_run(plan.model_copy(update={"source": source}))
    assert "max_pages ended the reading after 2 pages" in error.message
    assert stored(database) == rows_of(RECORDS)


def test_a_run_that_takes_over_from_an_unfinished_upsert_starts_at_the_beginning(
    api: Faulty, database: Path
) -> None:
    upserting = integration(api.server.url, database)
    api.at, api.fault = 20, lambda _: answer("broken", 404)
    failed_run(upserting)
    api.fault = None
    assert run(replacing(api.server.url, database)).records.fetched == 35
    assert stored(database) == rows_of(RECORDS)
    assert query(database, "SELECT resume FROM _astrio_checkpoint") == [(None,)]


def test_every_figure_equals_an_independent_count() -> None:
    numbers = st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", "bad"])), max_size=25
    )

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(before=numbers, after=numbers)
    def holds(before: list[tuple[int, str]], after: list[tuple[int, str]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            database, table = Path(folder) / "items.db", dict[int, str]()
            rule = [{"field": "name", "pattern": "^.$"}]
            plan = replacing(served.server.url, database, validate=rule)
            for given_now in (before, after):
                served.records = [record(number, name=name) for number, name in given_now]
                table = check(plan, database, given_now, table)

    with Faulty([], size=5).serving() as served:
        holds()


def check(
    plan: Integration, database: Path, given_now: list[tuple[int, str]], before: dict[int, str]
) -> dict[int, str]:
    """Run, compare every figure with a count made here, and return the table as it should be."""
    table, written = dict[int, str](), 0
    good = [(number, name) for number, name in given_now if name != "bad"]
    for number, name in good:
        written += table.get(number) != name
        table[number] = name
    rejected = len(given_now) - len(good)
    if given_now and not good:
        assert failed_run(plan).kind == "rejected"
        expected, table = (rejected, 0, 0, 0), before
    else:
        run(plan)
        expected = (rejected, written, len(good) - written, len(before.keys() - table.keys()))
    told = last_report(database).records
    assert (told.rejected, told.written, told.unchanged, told.deleted) == expected
    assert told.balanced
    assert {row[0]: row[1] for row in stored(database)} == table
    return table


def test_a_reader_sees_the_old_rows_or_the_new_ones_and_nothing_else(
    api: Faulty, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "CHUNK_ROWS", 10)
    plan = replacing(api.server.url, database)
    run(plan)
    seen, stop = set[tuple[Any, ...]](), threading.Event()

    def read() -> None:
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            while not stop.is_set():
                sql = "SELECT count(*), min(name), max(name) FROM items"
                seen.update(connection.execute(sql).fetchall())

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            for records in (NEWER, RECORDS) * 3:
                api.records = records
                run(plan)
        finally:
            stop.set()
        reading.result()
    assert seen == {(35, "Name 0", "Name 9"), (40, "new", "new")}


async def cancelled(plan: Integration, moment: threading.Event, goes_on: threading.Event) -> None:
    """Run, cancel the run at that moment, and close it as the flow does."""
    started = Run(plan, RunOptions())
    stages = asyncio.create_task(_stages(started, await started.open()))
    await asyncio.to_thread(moment.wait, 30)
    stages.cancel()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await stages
    await started.fail(AstrioError("The run was cancelled."), state="cancelled")
    await started.close()


def held_up(function: Callable[..., Any]) -> tuple[Any, threading.Event, threading.Event]:
    """Return the function so that it waits at its begin until it may go on."""
    moment, goes_on = threading.Event(), threading.Event()

    def waiting(*args: Any, **how: Any) -> Any:
        moment.set()
        assert goes_on.wait(30)
        return function(*args, **how)

    return waiting, moment, goes_on


def test_a_run_that_is_cancelled_leaves_the_old_rows(
    api: Faulty, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replacing(api.server.url, database)
    run(plan)
    api.records = NEWER
    waiting, moment, goes_on = held_up(SqlDestination.commit)
    monkeypatch.setattr(SqlDestination, "commit", waiting)
    asyncio.run(cancelled(plan, moment, goes_on))
    assert stored(database) == rows_of(RECORDS)
    kept = last_report(database)
    assert (kept.state, kept.records.written, kept.records.balanced) == ("cancelled", 0, True)
    assert leftovers(database) == []


def test_a_run_whose_swap_is_under_way_is_completed_although_it_is_cancelled(
    api: Faulty, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replacing(api.server.url, database)
    run(plan)
    api.records = NEWER
    waiting, moment, goes_on = held_up(Staging.take_place)
    monkeypatch.setattr(Staging, "take_place", waiting)
    asyncio.run(cancelled(plan, moment, goes_on))
    assert stored(database) == rows_of(NEWER)
    kept = last_report(database)
    assert (kept.state, kept.records.written, kept.records.deleted) == ("completed", 40, 20)
