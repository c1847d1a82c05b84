"""Whole runs through the user's own Python: accounted for like all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import failed_run, query, run, stored
from tests.support.connectors import Write

from astrio.blocks.errors import ConfigurationError, TooManyRejectsError
from astrio.flows.integration import Integration

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
