"""Whole runs and their figures: drift between runs, and thresholds that warn or fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import record
from tests.flows.running import Faulty, failed_run, last_report, query, run, watermark
from tests.support.server import answer

from astrio.blocks.errors import QualityError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.flows.summary import facts, markdown
from astrio.tasks.batch import Page
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty([record(number) for number in range(40)]).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


def plan_of(api: Faulty, database: Path, **changes: Any) -> Integration:
    """Return an integration of the API; `changes` replace keys, those of `source` are added."""
    whole = {
        "name": "items",
        "source": {
            "api": {"base_url": api.server.url},
            "request": {"path": "/items"},
            "records": "$.items[*]",
            "paginate": {"type": "cursor", "param": "cursor", "next": "$.next"},
            "incremental": {"cursor": "updated_at", "param": "since"},
        },
        "map": {"id": "id", "name": "name", "email": "email", "updated_at": "updated_at"},
        "validate": [{"field": "email", "type": "email"}],
        "push": {
            "to": {"url": f"sqlite:///{database}"},
            "table": "items",
            "mode": "upsert",
            "key": ["id"],
        },
        "retry": {"max_retries": 1, "retry_delay": 1},
    }
    return Integration.model_validate(whole | changes)


def replacing(plan: Integration, mode: str) -> dict[str, Any]:
    push = plan.push.model_copy(update={"mode": mode})
    source = plan.source.model_copy(update={"incremental": None})
    return {"push": push, "source": source}


# Figures.


def test_a_run_tells_the_figures_of_each_field(api: Faulty, database: Path) -> None:
    api.records[3]["name"] = None
    api.records[4]["email"] = "no address"
    report = run(plan_of(api, database))
    assert list(report.fields) == ["id", "name", "email", "updated_at"]
    told = report.fields["id"]
    assert (told.filled, told.min, told.max, told.distinct) == (39, 0, 39, 39)
    assert (report.fields["name"].nulls, report.fields["email"].invalid) == (1, 1)
    assert (report.fields["name"].shortest, report.fields["name"].longest) == (6, 7)
    assert (report.profiled.records, report.profiled.whole) == (39, True)
    assert last_report(database) == report


def test_the_report_holds_no_text_of_a_record(api: Faulty, database: Path) -> None:
    report = run(plan_of(api, database))
    told = report.model_dump_json() + markdown(report)
    assert "user7@" not in told
    assert "Name 7" not in told


def test_the_artifact_has_a_row_for_each_field(api: Faulty, database: Path) -> None:
    text = markdown(run(plan_of(api, database)))
    assert "### Fields of 40 records" in text
    assert "| field | kinds | filled | nulls | invalid | distinct | min | max | length |" in text
    assert "| id | number | 40 | 0 | 0 | 40 | 0 | 39 |  |" in text
    assert "| name | text | 40 | 0 | 0 | 40 |  |  | 6 to 7 |" in text


def test_the_artifact_leaves_out_fields_beyond_the_first_fifty(api: Faulty, database: Path) -> None:
    wide = {f"f{n}": "name" for n in range(60)}
    text = markdown(run(plan_of(api, database, map={"id": "id"} | wide, validate=[])))
    assert "| f48 |" in text
    assert "| f49 |" not in text
    assert "and 11 more fields" in text


def test_a_resumed_run_counts_anew_and_says_so(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database)
    api.at, api.fault = 20, lambda _: answer({"error": "broken"}, 400)
    failed_run(plan)
    assert last_report(database).profiled.records == 20
    api.fault = None
    report = run(plan)
    assert (report.records.fetched, report.profiled.records) == (40, 20)
    assert not report.profiled.whole
    assert "### Fields of 20 records, since the run was resumed" in markdown(report)


def test_a_slice_read_again_is_counted_once(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database)
    paginate = plan.source.paginate.model_copy(update={"total": "$.total"})
    source = plan.source.model_copy(update={"paginate": paginate})
    api.total = 41
    error = failed_run(plan.model_copy(update={"source": source}))
    assert error.kind == "imbalance"
    assert last_report(database).profiled.records == 40


# Drift.


def test_what_changed_since_the_run_before_is_told_once(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database, validate=[])
    assert not run(plan).drift
    for each in api.records:
        each["name"], each["extra"] = None, 1
        each["email"] = 5
    report = run(plan, full_refresh=True)
    assert report.drift.fields.vanished == ["name"]
    assert report.drift.fields.changed == {"email": "text to number"}
    assert report.drift.source.appeared == ["extra"]
    assert "The field name has no value in any record, and had in earlier runs." in report.warnings
    assert ("Drift", "vanished: name; changed: email text to number") in facts(report)
    assert "Source drift" in dict(facts(report))
    assert not run(plan, full_refresh=True).drift


def test_a_small_run_that_lacks_a_field_tells_nothing(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database)
    run(plan)
    api.records.append(record(99, name=None, updated_at="2026-02-01T00:00:00Z"))
    report = run(plan)
    assert report.profiled.records == 2  # the one at the watermark, too
    assert not report.drift


def test_fields_that_pass_through_are_compared_without_their_source(
    api: Faulty, database: Path
) -> None:
    plan = plan_of(api, database, map=None)
    run(plan)
    for each in api.records:
        del each["name"]
        each["nick"] = "x"
    drift = run(plan, full_refresh=True).drift
    assert (drift.fields.appeared, drift.fields.vanished) == (["nick"], ["name"])
    assert not drift.source


def test_a_run_without_records_leaves_what_is_remembered(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database)
    run(plan)
    known = query(database, "SELECT profile FROM _astrio_profile")
    api.records.clear()
    report = run(plan)
    assert (report.fields, bool(report.drift)) == ({}, False)
    assert query(database, "SELECT profile FROM _astrio_profile") == known


# Thresholds.


def test_a_threshold_of_severity_warning_completes_the_run(api: Faulty, database: Path) -> None:
    entry = {"field": "id", "max": 30, "severity": "warning"}
    report = run(plan_of(api, database, quality=[entry]))
    assert report.state == "completed"
    assert report.warnings == ["id is 39 in a record (at most 30)"]
    assert [each.model_dump() for each in report.quality] == [
        {
            "field": "id",
            "check": "max",
            "message": "id is 39 in a record (at most 30)",
            "severity": "warning",
        }
    ]


def test_a_threshold_of_an_upsert_fails_the_run_whose_rows_stay(
    api: Faulty, database: Path
) -> None:
    plan = plan_of(api, database, quality=[{"field": "name", "max_nulls": "10%"}])
    for number in range(8):
        api.records[number]["name"] = None
    error = failed_run(plan)
    assert isinstance(error, QualityError)
    assert error.message == "Quality: 8 of 40 records have no name (at most 10%)."
    assert "The run's rows are in the table" in error.advice
    assert query(database, "SELECT count(*) FROM items") == [(40,)]
    report = last_report(database)
    assert (report.state, report.error and report.error.kind) == ("failed", "quality")
    assert report.records.written == 40
    assert watermark(database) is None
    api.records[0]["name"] = api.records[1]["name"] = "mended"
    assert failed_run(plan).kind == "quality"
    for each in api.records:
        each["name"] = "mended"
    again = run(plan)
    assert (again.records.fetched, again.records.written) == (40, 38)
    assert watermark(database) is not None


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_threshold_of_a_replaced_or_appended_table_leaves_it_as_it_was(
    api: Faulty, database: Path, mode: str
) -> None:
    plan = plan_of(api, database, quality=[{"field": "id", "max": 50}])
    plan = plan.model_copy(update=replacing(plan, mode))
    run(plan)
    api.records.append(record(99))
    error = failed_run(plan)
    assert error.message == "Quality: id is 99 in a record (at most 50)."
    assert "None of the run's rows is in the table" in error.advice
    assert query(database, "SELECT count(*), max(id) FROM items") == [(40, 39)]
    report = last_report(database)
    assert report.records.balanced
    assert (report.records.written, report.records.failed) == (0, 41)


def test_a_failed_run_is_not_what_the_next_is_compared_with(api: Faulty, database: Path) -> None:
    plan = plan_of(api, database, quality=[{"field": "name", "stable": True}])
    run(plan)
    for each in api.records:
        each["name"] = None
    for _ in range(2):
        error = failed_run(plan, full_refresh=True)
        assert error.message == (
            "Quality: name has no value in any record, and had in earlier runs."
        )


def test_the_report_can_be_read_from_what_is_kept(api: Faulty, database: Path) -> None:
    run(plan_of(api, database))
    ((text,),) = query(database, "SELECT report FROM _astrio_run")
    assert RunReport.model_validate(json.loads(text)).fields["id"].max == 39


def test_records_that_are_replayed_are_counted_but_neither_compared_nor_judged(
    api: Faulty, database: Path
) -> None:
    plan = plan_of(api, database, quality=[{"field": "id", "max": 50}])
    run(plan)
    known = query(database, "SELECT profile FROM _astrio_profile")
    report = asyncio.run(engine(Run(plan, RunOptions(), Kept())))
    assert (report.state, report.fields["id"].max) == ("completed", 99)
    assert (report.quality, bool(report.drift)) == ([], False)
    assert query(database, "SELECT profile FROM _astrio_profile") == known


class Kept:
    """Records that are not the stream's own reading."""

    async def pages(self, session: object) -> AsyncGenerator[Page, None]:
        records = [record(99, name=None)] * 20
        yield Page(1, records, fetched=len(records), stop_reason="no_next")
