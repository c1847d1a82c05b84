"""A dry run of an API tells which requests would be sent; none is, and no state moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import serve
from tests.support.strict_api import StrictApi
from tests.tasks.destinations.api.pushing import RECORDS, api, integration, upsert

from astrio.deployments.cli.report import show_report
from astrio.flows.integration import Integration
from astrio.tasks.difference import Difference, PlannedRequest
from astrio.tasks.report import RunReport

TABLES = ("_astrio_sent", "_astrio_checkpoint", "_astrio_run", "_astrio_quarantine")


def difference(plan: Integration) -> Difference:
    report = run(plan, dry_run=True)
    assert report.difference is not None
    return report.difference


def state(home: Path) -> list[Any]:
    return [query(home / "ledger.db", f"SELECT * FROM {name}") for name in TABLES]


@pytest.mark.usefixtures("ledger")
def test_new_changed_and_unchanged_records_are_told_apart_by_the_journal() -> None:
    crm, records = StrictApi(), [dict(each) for each in RECORDS]
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        first = difference(plan)
        assert crm.sent == []
        run(plan)
        records[0]["name"] = "other"
        records.append({"id": 9, "name": "new"})
        second = difference(plan)
        real = run(plan)
    assert (first.new, first.changed, first.unchanged, first.requests) == (5, 0, 0, 5)
    assert (second.new, second.changed, second.unchanged, second.requests) == (1, 1, 4, 2)
    assert (real.records.written, real.records.unchanged) == (2, 4)
    assert len(crm.sent) == 7


def test_nothing_is_sent_and_no_state_moves(home: Path) -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        difference(plan)
        assert not (home / "ledger.db").exists()
        run(plan)
        before = state(home)
        RECORDS[0]["name"], kept = "changed", RECORDS[0]["name"]
        difference(plan)
        RECORDS[0]["name"] = kept
    assert state(home) == before
    assert len(crm.sent) == 5


def test_the_first_requests_are_shown_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRM_KEY", "a-canary-in-a-coal-mine")
    monkeypatch.setenv("COLUMNS", "200")
    request = {
        "method": "PUT",
        "path": "/contacts/{{id}}",
        "params": {"api_key": "${env:CRM_KEY}", "v": 1},
        "headers": {"X-Key": "${env:CRM_KEY}"},
        "body": {"name": "{{name}}", "key": "${env:CRM_KEY}"},
    }
    records = [{"id": number, "name": f"n{number}"} for number in range(12)]
    with serve(lambda _: records) as source, serve(StrictApi()) as server:
        plan = integration(source, api(server.url, request=request), **upsert())
        report = run(plan, dry_run=True)
    assert report.difference is not None
    shown = report.difference.examples
    assert len(shown) == 10
    assert isinstance(shown[0], PlannedRequest)
    assert shown[0].key == {"id": 0}
    assert shown[0].request.method == "PUT"
    assert shown[0].request.url == f"{server.url}/contacts/0?api_key=***&v=1"
    assert shown[0].request.body == '{"name":"n0","key":"***"}'
    assert "canary" not in report.model_dump_json()
    assert report.difference.requests == 12
    show_report(RunReport.model_validate(report.model_dump() | {"difference": report.difference}))
    printed = capsys.readouterr().out
    assert "Requests to send" in printed
    assert f"PUT {server.url}/contacts/0" in printed


def test_a_batch_counts_as_one_request() -> None:
    with serve(lambda _: RECORDS) as source, serve(StrictApi()) as server:
        found = difference(integration(source, api(server.url, batch=2)))
    assert (found.new, found.requests) == (5, 3)
    first = found.examples[0]
    assert isinstance(first, PlannedRequest)
    assert (first.key, first.records) == ({}, 2)


def test_records_that_cannot_be_sent_are_rejected_as_in_the_run() -> None:
    request = {"path": "/contacts/{{name}}"}
    records = [{"id": 1, "name": None}, {"id": 2, "name": "a"}]
    with serve(lambda _: records) as source, serve(StrictApi()) as server:
        plan = integration(source, api(server.url, request=request))
        report = run(plan, dry_run=True)
    assert (report.records.written, report.records.rejected) == (1, 1)
