"""Whole runs through the user's own Python: accounted for like all others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import failed_run, last_report, query, run, stored, watermark
from tests.support.connectors import Write

from astrio.blocks.errors import ConfigurationError, ConnectorError, TooManyRejectsError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.mapping_version import mapping_version
from astrio.flows.replaying import Replay
from astrio.tasks.python.references import resolve

USERS = """
def row(record):
    if record["id"] % 5 == 0:
        return None
    if record["id"] % 7 == 0:
        record["name"] = "spoiled"
        raise ValueError("sevens are not wanted")
    return {**record, "name": record["name"].upper()}
"""


def transforming(url: str, database: Path, **changes: object) -> Integration:
    return integration(url, database, map=None, transform="users:row", **changes)


def test_a_run_with_a_function_accounts_for_every_record(write: Write, tmp_path: Path) -> None:
    write("users.py", USERS)
    database = tmp_path / "items.db"
    records = [record(number) for number in range(1, 36)]
    with cursor_api(records) as api:
        report = run(transforming(api.url, database))
        again = run(transforming(api.url, database))
    kept = [each for each in records if each["id"] % 5 and each["id"] % 7]
    counts = report.records
    assert (counts.fetched, counts.filtered, counts.rejected, counts.written) == (35, 7, 4, 24)
    assert (again.records.filtered, again.records.rejected, again.records.unchanged) == (7, 4, 24)
    assert [row[1] for row in stored(database)] == [each["name"].upper() for each in kept]


def test_the_quarantine_tells_why_and_where(write: Write, tmp_path: Path) -> None:
    write("users.py", USERS)
    database = tmp_path / "items.db"
    with cursor_api([record(1), record(7)]) as api:
        run(transforming(api.url, database))
    assert query(database, "SELECT field, rule, reason FROM _astrio_quarantine") == [
        (None, "transform", "sevens are not wanted (connectors/users.py, line 7)")
    ]


def test_a_function_that_refuses_everything_fails_the_run(write: Write, tmp_path: Path) -> None:
    write("users.py", "def row(record): return record['nothing']")
    with cursor_api([record(1), record(2)]) as api:
        error = failed_run(transforming(api.url, tmp_path / "items.db"))
    assert isinstance(error, TooManyRejectsError)


def test_a_module_that_is_missing_where_the_run_takes_place_fails_it_with_advice(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_CONNECTORS", "/nowhere")
    write("users.py", USERS)
    with cursor_api([record(1)]) as api:
        error = failed_run(transforming(api.url, tmp_path / "items.db"))
        assert not api.requests
    assert isinstance(error, ConfigurationError)
    assert "There is no module `users`" in error.message
    assert "ASTRIO_CONNECTORS" in error.advice


CRM = """
from astrio.tasks.connectors import SourceContext

RECORDS = [{"id": number, "name": f"Name {number}", "email": None,
            "updated_at": f"2026-01-01T00:00:{number:02d}Z"} for number in range(10)]
calls = []

async def items(context: SourceContext):
    calls.append((context.start, context.watermark, context.vars))
    for record in RECORDS:
        if context.start is None or record["updated_at"] >= context.start:
            yield record
"""


def sourced(database: Path, **changes: Any) -> Integration:
    source = changes.pop("source", {})
    plan = {
        "name": "items",
        "source": {"python": "crm:items", **source},
        "push": {"to": {"url": f"sqlite:///{database}"}, "table": "items", "mode": "upsert",
                 "key": ["id"]},
        **changes,
    }  # fmt: skip
    return Integration.model_validate(plan)


def crm() -> Any:
    return resolve("crm:calls").value


def test_a_source_in_python_is_written_and_accounted_for(write: Write, tmp_path: Path) -> None:
    write("crm.py", CRM)
    report = run(sourced(tmp_path / "items.db", source={"filter": "id != 3"}))
    counts = report.records
    assert (counts.fetched, counts.filtered, counts.written) == (10, 1, 9)
    assert (report.pages, report.stop_reason, report.requests.sent) == (1, "no_next", 0)
    assert [row[0] for row in stored(tmp_path / "items.db")] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_the_watermark_moves_as_for_an_api(write: Write, tmp_path: Path, mode: str) -> None:
    write("crm.py", CRM)
    database = tmp_path / "items.db"
    push = {"to": {"url": f"sqlite:///{database}"}, "table": "items", "mode": mode}
    keyed = push | ({"key": ["id"]} if mode == "upsert" else {})
    plan = sourced(
        database, source={"incremental": {"cursor": "updated_at"}}, push=keyed, vars={"a": 1}
    )
    first, second = run(plan), run(plan)
    last = "2026-01-01T00:00:09Z"
    assert crm() == [(None, None, {"a": 1}), (last, last, {"a": 1})]
    assert (first.records.written, watermark(database)) == (10, last)
    assert (second.records.fetched, second.records.unchanged) == (1, 1)
    assert len(stored(database)) == 10


def test_records_below_the_bound_are_left_out_if_the_source_yields_them(
    write: Write, tmp_path: Path
) -> None:
    write("crm.py", CRM.replace("if context.start is None or", "if True or"))
    database = tmp_path / "items.db"
    source = {"incremental": {"cursor": "updated_at", "start": "2026-01-01T00:00:04Z"}}
    report = run(sourced(database, source=source))
    assert (report.records.filtered, report.records.written) == (4, 6)


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_a_source_that_fails_in_the_middle_begins_anew_without_loss_or_doubles(
    write: Write, tmp_path: Path, mode: str
) -> None:
    database = tmp_path / "items.db"
    broken = CRM + "        if record['id'] == 6: raise OSError('line 6')\n"
    write("crm.py", broken)
    push = {"to": {"url": f"sqlite:///{database}"}, "table": "items", "mode": mode}
    keyed = push | ({} if mode == "append" else {"key": ["id"]})
    plan = sourced(database, push=keyed)
    error = failed_run(plan)
    assert isinstance(error, ConnectorError)
    assert "connectors/crm.py, line 13" in error.message
    assert last_report(database).state == "failed"
    write("crm.py", CRM)
    report = run(plan)
    assert report.records.fetched == 10
    assert [row[0] for row in stored(database)] == list(range(10))


def test_a_source_in_python_has_the_session_of_its_api(write: Write, tmp_path: Path) -> None:
    write("crm.py", "async def items(context):\n    cursor = 0\n    while cursor is not None:\n"
          "        body = (await context.api.get('/items', params={'cursor': cursor})).body\n"
          "        yield body['items']\n        cursor = body['next']\n")  # fmt: skip
    records = [record(number) for number in range(25)]
    with cursor_api(records) as api:
        report = run(sourced(tmp_path / "items.db", source={"api": {"base_url": api.url}}))
    assert (report.records.written, report.pages, report.requests.sent) == (25, 3, 3)


def test_the_mappings_version_changes_with_the_functions_module(write: Write) -> None:
    plan = sourced(Path("items.db"), transform="users:row", validate="users:judge")
    missing = mapping_version(plan)
    write("users.py", f"{USERS}def judge(row): ...\n")
    first = mapping_version(plan)
    assert (first != missing, mapping_version(plan)) == (True, first)
    write("users.py", f"{USERS}def judge(row): return 'no'\n")
    assert mapping_version(plan) != first


@pytest.mark.parametrize("source", ["api", "python"])
def test_what_a_function_has_rejected_is_replayed_through_the_mended_one(
    write: Write, tmp_path: Path, source: str
) -> None:
    database = tmp_path / "items.db"
    write("users.py", USERS)
    write("crm.py", CRM)
    with cursor_api([record(number) for number in range(1, 9)]) as api:
        of_python = sourced(database, transform="users:row")
        plan = of_python if source == "python" else transforming(api.url, database)
        first = run(plan)
        write("users.py", USERS.replace("raise ValueError", "pass  # "))
        replayed = asyncio.run(engine(Replay(plan)))
    assert first.records.rejected == 1
    assert (replayed.records.fetched, replayed.records.written) == (1, 1)
    assert query(database, "SELECT name FROM items WHERE id = 7") == [("SPOILED",)]
