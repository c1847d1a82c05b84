"""The account of a run against counts made here, independently, over random records."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import Faulty, failed_run, last_report, query, rows_of, run, stored

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows

SIZE = 5
GOOD, HIDDEN, BAD_RULE, BAD_MAPPING, NO_KEY = "good", "hidden", "bad rule", "bad mapping", "no key"
KINDS = (GOOD, HIDDEN, BAD_RULE, BAD_MAPPING, NO_KEY)


def made(kind: str, number: int, variant: int = 0) -> dict[str, Any]:
    """Return a record of that kind; another variant is another record with the same id."""
    changes: dict[str, dict[str, Any]] = {
        GOOD: {},
        HIDDEN: {"status": "hidden"},
        BAD_RULE: {"email": "no address"},
        BAD_MAPPING: {"age": "old"},
        NO_KEY: {"id": None},
    }
    return {
        **record(number, name=f"Name {number}.{variant}"),
        "age": "42",
        "status": "shown",
        **changes[kind],
    }


@st.composite
def sources(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Return kinds and records in any order; some come twice, as they were or changed."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=25))
    chosen = [(kind, made(kind, number)) for number, kind in enumerate(kinds)]
    for number, kind in enumerate(kinds):
        variants = draw(st.lists(st.integers(0, 2), max_size=2))
        chosen += [(kind, made(kind, number, variant)) for variant in variants]
    return draw(st.permutations(chosen))


@dataclass
class Count:
    """What should become of the records of a source, counted one by one."""

    fetched: int = 0
    filtered: int = 0
    rejected: int = 0
    written: int = 0
    unchanged: int = 0

    def of(
        self, source: list[tuple[str, dict[str, Any]]], table: dict[int, str], mode: str
    ) -> Count:
        """Count a run; `table` holds the names by id, and is brought up to date."""
        for kind, each in source:
            self.fetched += 1
            if kind == HIDDEN:
                self.filtered += 1
            elif is_rejected(kind, mode):
                self.rejected += 1
            elif mode == "upsert" and table.get(each["id"]) == each["name"]:
                self.unchanged += 1
            else:
                self.written += 1
                table[each["id"]] = each["name"]
        return self


def is_rejected(kind: str, mode: str) -> bool:
    return kind in (BAD_RULE, BAD_MAPPING) or (kind == NO_KEY and mode == "upsert")


def identity(each: dict[str, Any]) -> str:
    """Return what the quarantine tells records apart by: the key, or else the content."""
    return str(each["id"]) if each["id"] is not None else json.dumps(each, sort_keys=True)


def whole(url: str, database: Path, mode: str = "upsert", **changes: Any) -> Integration:
    """Return an integration with a filter, a mapping that may fail, and a rule."""
    plan = integration(
        url,
        database,
        source={"filter": "status != 'hidden'", **changes.pop("source", {})},
        map={
            "id": "id",
            "name": "name",
            "email": "email",
            "updated_at": "updated_at",
            "age": "int(age)",
        },
        validate=[{"field": "email", "type": "email"}],
        **changes,
    )
    return plan.model_copy(update={"push": plan.push.model_copy(update={"mode": mode})})


@pytest.fixture(scope="module")
def api() -> Iterator[Faulty]:
    with Faulty([], size=SIZE).serving() as served:
        yield served


def check_run(plan: Integration, database: Path, expected: Count) -> None:
    """Run and compare every figure; a run whose records are all rejected fails."""
    kept = expected.fetched - expected.filtered
    if kept and expected.rejected == kept:
        assert failed_run(plan).kind == "rejected"
        report = last_report(database)
        assert report.state == "failed"
    else:
        report = run(plan)
        rejects = "completed_with_rejects" if expected.rejected else "completed"
        assert report.state == rejects
    told = report.records.model_dump()
    assert told == {"claimed": None, "failed": 0, "deleted": 0, **vars(expected)}
    assert told["fetched"] == sum(
        told[fate] for fate in ("filtered", "rejected", "written", "unchanged", "failed")
    )


# By default few sources are tried; the slow form tries the whole number.
@pytest.mark.parametrize("examples", [12, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_every_figure_of_every_run_equals_an_independent_count(
    api: Faulty, mode: str, examples: int
) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(source=sources())
    def holds(source: list[tuple[str, dict[str, Any]]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            database, table = Path(folder) / "items.db", dict[int, str]()
            api.records = [each for _, each in source]
            plan = whole(api.server.url, database, mode)
            for _ in range(2):
                check_run(plan, database, Count().of(source, table, mode))
            if mode == "upsert":
                stored_names = {row[0]: row[1] for row in stored(database)}
                assert stored_names == table

    holds()


@pytest.mark.parametrize("examples", [10, pytest.param(30, marks=pytest.mark.slow)])
def test_the_quarantine_holds_exactly_the_rejected_and_counts_how_often_they_came(
    api: Faulty, examples: int
) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(source=sources())
    def holds(source: list[tuple[str, dict[str, Any]]]) -> None:
        rejected = [each for kind, each in source if is_rejected(kind, "upsert")]
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "items.db"
            api.records = [each for _, each in source]
            plan = whole(api.server.url, database)
            for runs in (1, 2):
                check_run(plan, database, Count().of(source, _table(source, runs), "upsert"))
                numbers = [row["id"] for row in quarantine_rows(plan.push, plan.name)]
                kept = quarantine_records(plan.push, plan.name, numbers)
                assert {identity(row["record"]): row["seen"] for row in kept} == {
                    name: count * runs for name, count in Counter(map(identity, rejected)).items()
                }
                assert all(row["record"] in rejected for row in kept)

    holds()


def _table(source: list[tuple[str, dict[str, Any]]], runs: int) -> dict[int, str]:
    """Return the names by id as they stand before that run."""
    table: dict[int, str] = {}
    if runs > 1:
        Count().of(source, table, "upsert")
    return table


def test_the_quarantine_names_field_rule_and_reason_of_each_reject(
    api: Faulty, tmp_path: Path
) -> None:
    api.records = [made(kind, number) for number, kind in enumerate(KINDS)]
    run(whole(api.server.url, tmp_path / "items.db"))
    columns = "SELECT key, field, rule, reason FROM _astrio_quarantine ORDER BY field"
    kept = query(tmp_path / "items.db", columns)
    assert [row[:3] for row in kept] == [
        ("3", "age", "map"),
        ("2", "email", "email"),
        (None, "id", "key"),
    ]
    assert all(row[3] for row in kept)


def test_a_record_mended_at_its_source_is_written_and_leaves_the_quarantine(
    api: Faulty, tmp_path: Path
) -> None:
    database = tmp_path / "items.db"
    api.records = [made(GOOD, 1), made(BAD_RULE, 2), made(BAD_MAPPING, 3)]
    plan = whole(api.server.url, database)
    run(plan)
    api.records[1] = made(GOOD, 2)
    report = run(plan)
    assert (report.records.written, report.records.rejected) == (1, 1)
    states = "SELECT key, state, seen FROM _astrio_quarantine ORDER BY key"
    assert query(database, states) == [("2", "resolved", 1), ("3", "open", 2)]
    assert stored(database) == rows_of([made(GOOD, 1), made(GOOD, 2)])


@pytest.mark.parametrize(
    ("limit", "rejected", "passes"),
    [
        (None, 9, True),
        (None, 10, False),
        (0, 0, True),
        (0, 1, False),
        (3, 3, True),
        (3, 4, False),
        (10, 10, True),
        ("0%", 1, False),
        ("30%", 3, True),
        ("30%", 4, False),
        ("25.5%", 2, True),
        ("25.5%", 3, False),
        ("100%", 10, True),
    ],
)
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_max_rejected_is_a_count_or_a_share_of_what_the_filter_let_through(
    api: Faulty, tmp_path: Path, *, mode: str, limit: Any, rejected: int, passes: bool
) -> None:
    database = tmp_path / "items.db"
    kinds = [BAD_RULE] * rejected + [GOOD] * (10 - rejected) + [HIDDEN] * 10
    api.records = [made(kind, number) for number, kind in enumerate(kinds)]
    plan = whole(api.server.url, database, mode, max_rejected=limit)
    if passes:
        report = run(plan)
        assert report.state == ("completed_with_rejects" if rejected else "completed")
    else:
        error = failed_run(plan)
        assert error.kind == "rejected"
        assert ("all" if rejected == 10 else f"{rejected} of 10") in error.message
        report = last_report(database)
        assert report.state == "failed"
    assert report.records.balanced
    assert report.records.rejected == rejected
    assert query(database, "SELECT count(*) FROM _astrio_quarantine") == [(rejected,)]
    undone = mode == "append" and limit is not None and not passes
    assert len(stored(database)) == (0 if undone else 10 - rejected)


def test_too_many_rejects_leave_the_watermark_and_the_next_run_reads_the_slice_again(
    api: Faulty, tmp_path: Path
) -> None:
    database = tmp_path / "items.db"
    api.records = [made(BAD_RULE if number < 6 else GOOD, number) for number in range(12)]
    incremental = {"cursor": "updated_at", "param": "since"}
    plan = whole(api.server.url, database, source={"incremental": incremental}, max_rejected=5)
    failed_run(plan)
    api.records = [made(GOOD, number) for number in range(12)]
    api.asked("cursor")
    report = run(plan)
    assert api.asked("cursor") == [None, "5", "10"]
    assert report.window.start is None
    assert report.records.fetched == 12
    assert stored(database) == rows_of(api.records)
    assert query(database, "SELECT DISTINCT state FROM _astrio_quarantine") == [("resolved",)]


def counted(url: str, database: Path, mode: str) -> Integration:
    """Return an integration that compares with the total that the API claims."""
    paginate = {"type": "cursor", "param": "cursor", "next": "$.next", "total": "$.total"}
    return whole(url, database, mode, source={"paginate": paginate})


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_total_that_agrees_costs_no_second_reading(tmp_path: Path, mode: str) -> None:
    records = [made(KINDS[number % len(KINDS)], number) for number in range(23)]
    with Faulty(records, size=SIZE, total=23).serving() as api:
        report = run(counted(api.server.url, tmp_path / "items.db", mode))
        assert len(api.server.requests) == 5
    assert report.records.claimed == report.records.fetched == 23


@pytest.mark.parametrize("total", [22, 24, 0, 1000])
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_total_that_differs_is_read_once_more_and_then_fails_the_run(
    tmp_path: Path, mode: str, total: int
) -> None:
    database = tmp_path / "items.db"
    records = [made(GOOD, number) for number in range(23)]
    with Faulty(records, size=SIZE, total=total).serving() as api:
        plan = counted(api.server.url, database, mode)
        error = failed_run(plan)
        assert error.kind == "imbalance"
        assert str(total) in error.message
        assert "23" in error.message
        assert api.asked("cursor") == [None, "5", "10", "15", "20"] * 2
        kept = last_report(database)
        assert kept.records.balanced
        assert (kept.records.claimed, kept.records.fetched) == (total, 23)
        assert len(stored(database)) == (23 if mode == "upsert" else 0)
        api.total = 23
        report = run(plan)
        assert api.asked("cursor") == [None, "5", "10", "15", "20"]
    assert report.state == "completed"
    assert report.records.fetched == 23
    assert stored(database) == rows_of(records)


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_record_that_the_first_reading_missed_is_found_by_the_second(
    tmp_path: Path, mode: str
) -> None:
    database, records = tmp_path / "items.db", [made(GOOD, number) for number in range(24)]
    with Faulty(records, size=SIZE, total=24).serving() as api:

        def growing(request: web.Request) -> Any:
            there = 23 if len(api.server.requests) <= 5 else 24
            return Faulty(records[:there], size=SIZE, total=24)(request)

        api.fault = growing
        report = run(counted(api.server.url, database, mode))
        assert api.asked("cursor") == [None, "5", "10", "15", "20"] * 2
    assert report.state == "completed"
    assert report.records.claimed == report.records.fetched == report.records.written == 24
    assert stored(database) == rows_of(records)


def test_a_record_that_breaks_the_filter_is_quarantined_not_written(tmp_path: Path) -> None:
    records = [record(1, age=7), record(2, age="old"), record(3, age=3)]
    with cursor_api(records) as server:
        report = run(
            integration(server.url, tmp_path / "items.db", source={"filter": "int(age) > 5"})
        )
    counts = report.records
    assert (counts.written, counts.filtered, counts.rejected) == (1, 1, 1)
