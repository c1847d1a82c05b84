"""Batches: several records in one request, and an outcome for each."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from tests.flows.running import run
from tests.support.server import answer, serve
from tests.support.strict_api import StrictApi, hang
from tests.tasks.destinations.api.pushing import RECORDS, api, integration, upsert

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_rows


def reasons(plan: Integration) -> dict[str | None, str]:
    return {row["key"]: row["reason"] for row in quarantine_rows(plan.push, plan.name)}


def test_a_batch_is_a_list_of_records() -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        report = run(integration(source, api(server.url, batch=2), **upsert()))
    assert report.records.written == 5
    assert [len(body) for _, _, body in crm.sent] == [2, 2, 1]
    assert sorted(crm.effects, key=lambda each: each["id"]) == RECORDS


def test_a_batch_goes_where_the_template_says_with_what_each_record_becomes() -> None:
    seen = []
    batch = {"size": 3, "item": {"id": "{{id}}", "properties": {"name": "{{name}}"}}}
    request = {"path": "/batch", "body": {"inputs": "{{records}}", "note": "{{count(records)}}"}}
    with serve(lambda _: RECORDS[:2]) as source, serve(lambda _: {}) as server:
        run(integration(source, api(server.url, batch=batch, request=request)))
        seen = [each.json() for each in server.requests]
    inputs = [{"id": number, "properties": {"name": f"n{number}"}} for number in range(2)]
    assert seen == [{"inputs": inputs, "note": 2}]


def test_a_batch_that_is_too_large_is_split_until_it_fits() -> None:
    crm = StrictApi(most=2)
    with serve(lambda _: RECORDS * 2) as source, serve(crm) as server:
        report = run(integration(source, api(server.url, batch=5)))
    assert report.records.written == 10
    assert crm.effects == RECORDS * 2
    assert [len(body) for _, _, body in crm.sent] == [5, 3, 2, 1, 2, 2, 2, 1]


def test_a_single_record_that_is_too_large_is_told() -> None:
    crm = StrictApi(most=0)
    with serve(lambda _: RECORDS[:2]) as source, serve(crm) as server:
        plan = integration(source, api(server.url, batch=2), max_rejected="100%", **upsert())
        report = run(plan)
    assert report.records.failed == 2
    assert "413" in reasons(plan)["0"]


def test_a_batch_stays_below_its_bytes() -> None:
    crm = StrictApi()
    records = [{"id": number, "name": "x" * 100} for number in range(6)]
    batch = {"size": 100, "max_bytes": 300}
    with serve(lambda _: records) as source, serve(crm) as server:
        run(integration(source, api(server.url, batch=batch)))
    assert [len(body) for _, _, body in crm.sent] == [2, 2, 2]


def test_the_record_at_fault_is_found_by_splitting_a_batch_that_is_refused_as_a_whole() -> None:
    crm = StrictApi(refuses=lambda item: "bad name" if item["id"] == 3 else None)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url, batch=5), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert reasons(plan) == {"3": "The API answered 422 Unprocessable Entity: bad name"}


def test_no_batch_holds_a_key_twice_and_the_last_record_of_a_key_is_sent_last() -> None:
    crm = StrictApi()
    records = [{"id": number % 2, "name": str(number)} for number in range(4)]
    with serve(lambda _: records) as source, serve(crm) as server:
        report = run(integration(source, api(server.url, batch=10), **upsert()))
    assert report.records.written == 4
    assert [body for _, _, body in crm.sent] == [records[:2], records[2:]]


def bulk(request: web.Request, lines: list[Any]) -> Any:
    """Answer as Elasticsearch answers to `_bulk`."""
    documents = lines[1::2]
    items = [
        {"index": {"_id": str(each["id"]), "status": 400 if each["id"] == 1 else 201}}
        for each in documents
    ]
    for item in items:
        if item["index"]["status"] == 400:
            item["index"]["error"] = {"type": "mapper_parsing", "reason": "failed to parse"}
    return {"errors": True, "items": items}


async def elasticsearch(request: web.Request) -> Any:
    assert request.content_type == "application/x-ndjson"
    return bulk(request, [json.loads(line) for line in (await request.read()).splitlines()])


def test_lines_and_outcomes_as_elasticsearch_has_them() -> None:
    to = {
        "request": {"path": "/_bulk"},
        "batch": {
            "size": 100,
            "lines": True,
            "item": [{"index": {"_index": "people", "_id": "{{id}}"}}, "{{record}}"],
        },
        "items": {
            "path": "items",
            "ok": "index.status < 300",
            "message": "index.error.reason",
        },
    }
    with serve(lambda _: RECORDS) as source, serve(elasticsearch) as server:
        plan = integration(source, api(server.url, **to), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert reasons(plan) == {"1": "failed to parse"}


def test_outcomes_of_a_207_as_hubspot_has_them() -> None:
    told = {
        "status": "COMPLETE",
        "numErrors": 1,
        "errors": [{"message": "no such property", "context": {"ids": ["1", "3"]}}],
    }
    to = {
        "request": {"path": "/batch/upsert", "body": {"inputs": "{{records}}"}},
        "batch": {"size": 100, "item": {"id": "{{str(id)}}", "properties": "{{record}}"}},
        "items": {"path": "errors", "key": "context.ids", "sent_key": "id"},
    }
    with serve(lambda _: RECORDS) as source, serve(lambda _: answer(told, 207)) as server:
        plan = integration(source, api(server.url, **to), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (3, 2)
    assert reasons(plan) == {"1": "no such property", "3": "no such property"}


def test_outcomes_of_a_400_that_has_taken_the_rest_as_mixpanel_has_them() -> None:
    told = {"code": 400, "failed_records": [{"index": 0, "message": "'time' is in the future"}]}
    to = {
        "request": {"path": "/import"},
        "batch": {
            "size": 100,
            "item": {"event": "seen", "properties": {"$insert_id": "{{idempotency_key}}"}},
        },
        "items": {"path": "failed_records", "index": "index"},
    }
    with serve(lambda _: RECORDS) as source, serve(lambda _: answer(told, 400)) as server:
        plan = integration(source, api(server.url, **to), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert len(server.requests) == 1
    ids = [each["properties"]["$insert_id"] for each in server.requests[0].json()]
    assert len(set(ids)) == 5
    assert all(len(each) == 36 for each in ids)


def test_outcomes_in_order_as_salesforce_has_them() -> None:
    told = [{"success": each != 4, "errors": [{"message": "bad"}]} for each in range(5)]
    to = {"batch": 200, "items": {"path": "$", "ok": "success", "message": "errors[0].message"}}
    with serve(lambda _: RECORDS) as source, serve(lambda _: told) as server:
        plan = integration(source, api(server.url, **to), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert reasons(plan) == {"4": "bad"}


def test_an_answer_that_does_not_tell_the_outcomes_leaves_all_of_them_unknown() -> None:
    to = {"batch": 200, "items": {"path": "results", "ok": "success"}}
    with serve(lambda _: RECORDS) as source, serve(lambda _: {"results": [1]}) as server:
        plan = integration(source, api(server.url, **to), max_rejected="100%", **upsert())
        report = run(plan)
    assert report.records.failed == 5
    assert all(reason.startswith("outcome unknown: ") for reason in reasons(plan).values())


def test_a_batch_without_an_answer_is_sent_again_as_it_was() -> None:
    lost = iter([None, hang])

    def fault(*_: Any) -> Any:
        found = next(lost, None)
        return found() if found else None

    crm = StrictApi(after=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        to = api(server.url, batch=2) | {
            "api": {"base_url": server.url, "timeout": {"read": 0.2}},
            "request": {"path": "/contacts", "idempotency_key": True},
        }
        plan = integration(source, to, retry={"max_retries": 1, "retry_delay": 0})
        report = run(plan)
    assert report.records.written == 5
    assert crm.effects == RECORDS
    assert crm.misused == []
