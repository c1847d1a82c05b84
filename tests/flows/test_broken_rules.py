"""What a run tells about the rules that its records broke."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, last_report, query, run

from astrio.flows.integration import Integration
from astrio.tasks.destinations.sql.kept import opened

RULES: list[dict[str, Any]] = [
    {"field": "email", "type": "email"},
    {"field": "name", "length": "..6", "severity": "warning"},
    {"expr": "id < 28", "message": "{{ id }} is too high"},
]


def checked(url: str, database: Path, **changes: Any) -> Integration:
    return integration(url, database, rules=RULES, **changes)


def some(count: int) -> list[dict[str, Any]]:
    """Return records, of which every tenth has no address and the others have short names."""
    changes: dict[int, dict[str, Any]] = {
        place: {"email": "someone-at-home"} for place in range(0, count, 10)
    }
    return [
        record(number, **{"name": "short"} | changes.get(number, {})) for number in range(count)
    ]


def counted(report: Any) -> dict[tuple[Any, str, str], int]:
    return {(e.field, e.rule, e.severity): e.records for e in report.broken_rules}


def test_the_report_counts_the_records_that_broke_each_rule(tmp_path: Path) -> None:
    records = some(30)
    records[3]["name"] = records[4]["name"] = "longer than six"
    with Faulty(records).serving() as api:
        report = run(checked(api.server.url, tmp_path / "items.db"))
    assert (report.records.rejected, report.records.written) == (5, 25)
    assert counted(report) == {
        ("email", "email", "error"): 3,
        (None, "expr", "error"): 2,
        ("name", "length", "warning"): 2,
    }
    assert report.warnings == ["2 records written that break the rule length of name."]
    assert last_report(tmp_path / "items.db") == report


def test_a_resumed_run_goes_on_counting(tmp_path: Path) -> None:
    records = some(30)
    records[3]["name"] = records[25]["name"] = "longer than six"
    database = tmp_path / "items.db"

    def fails(request: web.Request) -> web.Response:
        return web.Response(status=400)

    with Faulty(records, at=20, fault=fails).serving() as api:
        failed_run(checked(api.server.url, database))
        assert counted(last_report(database)) == {
            ("email", "email", "error"): 2,
            ("name", "length", "warning"): 1,
        }
        api.fault = None
        report = run(checked(api.server.url, database))
    assert counted(report)["email", "email", "error"] == 3
    assert counted(report)["name", "length", "warning"] == 2


def test_the_quarantine_keeps_what_may_be_told_of_a_value(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with Faulty(some(30)).serving() as api:
        run(checked(api.server.url, database))
    kept = query(database, "SELECT key, record, problems FROM _astrio_quarantine ORDER BY id")
    told = {key: opened(content, problems).problems for key, content, problems in kept}
    assert told["0"] == [
        {
            "field": "email",
            "rule": "email",
            "reason": "is not a valid e-mail address",
            "value": 'text of 15 characters, the first is "s"',
        }
    ]
    assert told["29"] == [
        {
            "field": None,
            "rule": "expr",
            "reason": "29 is too high",
            "expression": "id < 28",
        }
    ]


def test_a_source_that_is_read_anew_is_counted_once(tmp_path: Path) -> None:
    cursor = {"type": "cursor", "param": "cursor", "next": "$.next", "total": "$.total"}
    with Faulty(some(12), total=11).serving() as api:
        plan = checked(api.server.url, tmp_path / "items.db", source={"paginate": cursor})
        # The API claims another number of records than it has, so they are read once more.
        failed_run(plan)
    assert len(api.server.requests) == 4
    assert counted(last_report(tmp_path / "items.db"))["email", "email", "error"] == 2
