"""`push: {to: {api: …}}`: one request for each record, and what is sent again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.flows.running import run
from tests.support.server import serve
from tests.support.strict_api import StrictApi
from tests.tasks.destinations.api.pushing import RECORDS, api, integration, upsert


@pytest.mark.usefixtures("ledger")
def test_each_record_is_a_request_with_the_record_as_its_body() -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        report = run(integration(source, api(server.url)))
    assert report.records.written == 5
    assert crm.sent == [("POST", "/contacts", record) for record in RECORDS]


@pytest.mark.usefixtures("ledger")
def test_an_upsert_sends_what_is_new_or_changed() -> None:
    crm, records = StrictApi(), [dict(each) for each in RECORDS]
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        run(plan)
        crm.sent.clear()
        records[0]["name"] = "other"
        report = run(plan)
    assert (report.records.written, report.records.unchanged) == (1, 4)
    assert [body for _, _, body in crm.sent] == [{"id": 0, "name": "other"}]


@pytest.mark.usefixtures("ledger")
def test_an_append_sends_everything_again_in_the_next_run() -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url))
        run(plan)
        report = run(plan)
    assert report.records.written == 5
    assert len(crm.effects) == 10


def test_equal_records_of_one_run_are_each_sent_by_append() -> None:
    crm = StrictApi()
    to = api("", request={"path": "/contacts", "idempotency_key": True})
    with serve(lambda _: [RECORDS[0]] * 3) as source, serve(crm) as server:
        report = run(integration(source, to | {"api": {"base_url": server.url}}))
    assert report.records.written == 3
    assert crm.effects == [RECORDS[0]] * 3


def test_what_comes_back_to_an_earlier_content_is_sent_under_a_key_of_its_own() -> None:
    crm, record = StrictApi(), {"id": 1, "name": "a"}
    to = api("", request={"path": "/contacts", "idempotency_key": True})
    with serve(lambda _: [record]) as source, serve(crm) as server:
        plan = integration(source, to | {"api": {"base_url": server.url}}, **upsert())
        for name in ("a", "b", "a"):
            record["name"] = name
            run(plan)
    assert [each["name"] for each in crm.effects] == ["a", "b", "a"]


def test_a_stale_version_is_not_sent_after_a_newer_one() -> None:
    crm = StrictApi()
    records = [{"id": 1, "name": "new", "v": 2}, {"id": 1, "name": "old", "v": 1}]
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(
            source,
            api(server.url),
            map={"id": "id", "name": "name", "v": "v"},
            **upsert(version="v"),
        )
        report = run(plan)
        records.pop(0)
        later = run(plan)
    assert (report.records.written, report.records.unchanged) == (1, 1)
    assert later.records.unchanged == 1
    assert [each["name"] for each in crm.effects] == ["new"]


def test_templates_are_filled_in_from_the_record_and_from_vars() -> None:
    crm = StrictApi()
    request = {
        "method": "PUT",
        "path": "/{{shop}}/contacts/{{id}}",
        "params": {"notify": "{{id > 3}}"},
        "headers": {"X-Name": "{{upper(name)}}"},
        "body": {"properties": "{{record}}", "text": "I am {{name}}"},
    }
    with serve(lambda _: RECORDS[:1]) as source, serve(crm) as server:
        run(integration(source, api(server.url, request=request), vars={"shop": "a/b"}))
    [seen] = server.requests
    assert seen.target == "/a%2Fb/contacts/0?notify=false"
    assert seen.headers["X-Name"] == "N0"
    assert seen.json() == {"properties": RECORDS[0], "text": "I am n0"}


def test_dots_in_targets_nest_and_unmapped_records_keep_what_they_lack() -> None:
    crm = StrictApi()
    records: list[dict[str, Any]] = [{"id": 1, "name": "x"}, {"id": 2, "nick": None}]
    with serve(lambda _: records) as source, serve(crm) as server:
        run(integration(source, api(server.url), map={"person.name": "name", "id": "id"}))
        run(integration(source, api(server.url), map=None, name="plain"))
    mapped = [{"person": {"name": "x"}, "id": 1}, {"person": {"name": None}, "id": 2}]
    assert crm.effects == [*mapped, *records]


def test_records_of_one_key_keep_their_order_while_others_overtake() -> None:
    crm = StrictApi()
    records = [{"id": number % 3, "name": str(number)} for number in range(60)]
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url, concurrency=8), **upsert())
        report = run(plan)
    assert report.records.written == 60
    for key in range(3):
        names = [int(each["name"]) for each in crm.effects if each["id"] == key]
        assert names == sorted(names)


def test_several_requests_are_on_their_way_at_once() -> None:
    crm = StrictApi()
    met = crm.meeting(4)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        run(integration(source, api(server.url), **upsert()))
    assert met.is_set()


def test_what_an_answer_returns_is_used_to_update_the_record() -> None:
    crm, records = StrictApi(), [dict(each) for each in RECORDS[:2]]
    more = {"returns": {"id": "$.id"}, "update": {"path": "/contacts/{{returned.id}}"}}
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url, **more), **upsert())
        run(plan)
        records[1]["name"] = "other"
        run(plan)
    assert [(method, path) for method, path, _ in crm.sent] == [
        ("POST", "/contacts"),
        ("POST", "/contacts"),
        ("PATCH", "/contacts/made-2"),
    ]


def test_a_template_that_is_changed_is_sent_anew() -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        run(integration(source, api(server.url), **upsert()))
        request = {"path": "/contacts", "body": {"id": "{{id}}", "full": "{{name}}"}}
        report = run(integration(source, api(server.url, request=request), **upsert()))
    assert report.records.written == 5
