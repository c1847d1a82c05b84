"""What an API answers decides what becomes of a record, and whether the run goes on."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import failed_run, run
from tests.support.server import answer, serve, unused_url
from tests.support.strict_api import StrictApi, hang
from tests.tasks.destinations.api.pushing import RECORDS, api, integration, upsert

from astrio.blocks.errors import ApiUnavailableError, CredentialsError
from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_rows
from astrio.tasks.http.advice import ForbiddenError, RefusedError


def keyed(url: str, **more: Any) -> dict[str, Any]:
    return api(url, **more) | {"request": {"path": "/contacts", "idempotency_key": True}}


def reasons(plan: Integration) -> list[tuple[str | None, str, str]]:
    rows = quarantine_rows(plan.push, plan.name)
    return [(row["key"], row["rule"], row["reason"]) for row in rows]


@pytest.mark.usefixtures("ledger")
def test_a_record_that_is_refused_is_quarantined_in_the_apis_words_and_the_rest_goes_on() -> None:
    crm = StrictApi(refuses=lambda item: "name is taken" if item["id"] == 2 else None)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    [(key, rule, reason)] = reasons(plan)
    assert (key, rule) == ("2", "destination")
    assert reason == "The API answered 422 Unprocessable Entity: name is taken"


def test_a_record_that_is_accepted_later_leaves_the_quarantine() -> None:
    crm = StrictApi(refuses=lambda item: "name is taken" if item["id"] == 2 else None)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        run(plan)
        crm.refuses = lambda _: None
        report = run(plan)
    assert (report.records.written, report.records.unchanged) == (1, 4)
    assert reasons(plan) == []


def test_refused_credentials_end_the_run_at_once() -> None:
    crm = StrictApi(before=lambda *_: answer({"message": "who are you"}, 401))
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        error = failed_run(integration(source, api(server.url)))
    assert isinstance(error, CredentialsError)
    assert len(crm.sent) == 1


@pytest.mark.parametrize(("status", "kind"), [(403, ForbiddenError), (404, RefusedError)])
def test_where_everything_is_denied_the_run_fails(status: int, kind: type[Exception]) -> None:
    crm = StrictApi(before=lambda *_: answer({"message": "not for you"}, status))
    with serve(lambda _: RECORDS * 20) as source, serve(crm) as server:
        plan = integration(source, api(server.url), max_rejected="100%")
        error = failed_run(plan)
    assert isinstance(error, kind)
    assert "not for you" in error.message
    assert len(crm.sent) == 10


def test_what_is_denied_to_one_record_is_that_records_matter() -> None:
    def fault(_: web.Request, body: Any) -> Any:
        return answer({"message": "gone"}, 404) if body["id"] == 0 else None

    crm = StrictApi(before=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url))
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)


def test_a_limit_is_waited_for() -> None:
    busy = iter([answer({}, 429, {"Retry-After": "0.01"}) for _ in range(2)])
    crm = StrictApi(before=lambda *_: next(busy, None))
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url), retry={"max_retries": 3, "retry_delay": 0})
        report = run(plan)
    assert report.records.written == 5
    assert crm.effects == RECORDS


def test_a_limit_that_lasts_ends_the_run_and_the_next_one_completes() -> None:
    left = iter([None, None])
    crm = StrictApi(before=lambda *_: next(left, answer({}, 429)))
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url))
        assert isinstance(failed_run(plan), ApiUnavailableError)
        crm.before = lambda *_: None
        report = run(plan)
    assert report.records.fetched == 5
    assert crm.effects == RECORDS


def test_a_failing_api_is_asked_again_under_the_same_key() -> None:
    crm = StrictApi(after=lambda request, _: broken(request, crm))
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, keyed(server.url), retry={"max_retries": 2, "retry_delay": 0})
        report = run(plan)
    assert report.records.written == 5
    assert crm.effects == RECORDS
    assert len(crm.sent) == 10


def broken(request: web.Request, crm: StrictApi) -> Any:
    """Answer 500 the first time that a key is seen, although it was carried out."""
    key = request.headers["Idempotency-Key"]
    first = crm.tries.setdefault(key, 0) == 0
    crm.tries[key] += 1
    return answer({"message": "oops"}, 500) if first else None


def test_a_record_that_an_api_always_fails_at_does_not_hold_up_the_others() -> None:
    def fault(_: web.Request, body: Any) -> Any:
        return answer({"message": "poison"}, 500) if body["id"] == 1 else None

    crm = StrictApi(before=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, keyed(server.url))
        report = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    [(_, _, reason)] = reasons(plan)
    assert "poison" in reason


def test_an_api_that_fails_at_everything_ends_the_run() -> None:
    crm = StrictApi(before=lambda *_: answer({"message": "down"}, 500))
    with serve(lambda _: RECORDS * 4) as source, serve(crm) as server:
        error = failed_run(integration(source, keyed(server.url)))
    assert isinstance(error, ApiUnavailableError)
    assert len(crm.sent) == 5


def test_an_api_that_cannot_be_reached_ends_the_run_and_leaves_nothing_unknown() -> None:
    crm = StrictApi()
    with serve(lambda _: RECORDS) as source:
        assert isinstance(failed_run(integration(source, api(unused_url()))), ApiUnavailableError)
        with serve(crm) as server:
            report = run(integration(source, api(server.url), push={"table": "other"}))
    assert report.records.written == 5


def test_what_got_no_answer_is_unknown_and_never_sent_again_by_itself() -> None:
    def fault(_: web.Request, body: Any) -> Any:
        return hang() if body["id"] == 1 else None

    crm = StrictApi(after=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url, api=impatient(server.url)), **upsert())
        report = run(plan)
        crm.after = lambda *_: None
        later = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert (later.records.unchanged, later.records.failed) == (4, 1)
    assert crm.effects.count(RECORDS[1]) == 1
    [(key, rule, reason)] = reasons(plan)
    assert (key, rule) == ("1", "unknown")
    assert reason.startswith("outcome unknown: ")


def impatient(url: str) -> dict[str, Any]:
    return {"base_url": url, "timeout": {"read": 0.2}}


def test_what_got_no_answer_is_sent_again_where_a_key_makes_that_safe() -> None:
    crm = StrictApi(after=lambda request, _: lost(request, crm))
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        to = keyed(server.url) | {"api": impatient(server.url)}
        plan = integration(source, to, retry={"max_retries": 1, "retry_delay": 0})
        report = run(plan)
    assert report.records.written == 5
    assert crm.effects == RECORDS
    assert crm.misused == []


def lost(request: web.Request, crm: StrictApi) -> Any:
    """Never answer the first time that a key is seen, although it was carried out."""
    key = request.headers["Idempotency-Key"]
    first = crm.tries.setdefault(key, 0) == 0
    crm.tries[key] += 1
    return hang() if first else None


LOOKUP = {"path": "/contacts", "params": {"id": "{{id}}"}, "found": "count(results) > 0"}


def test_a_look_up_tells_what_became_of_a_request_without_an_answer() -> None:
    def fault(request: web.Request, body: Any) -> Any:
        return hang() if request.method == "POST" and body["id"] == 1 else None

    crm = StrictApi(after=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        to = api(server.url, api=impatient(server.url), lookup=LOOKUP)
        report = run(integration(source, to, **upsert()))
    assert report.records.written == 5
    assert [method for method, _, _ in crm.sent].count("GET") == 1


def test_what_a_look_up_does_not_find_is_unknown_and_sent_again_by_the_next_run() -> None:
    def fault(request: web.Request, body: Any) -> Any:
        return hang() if request.method == "POST" and body["id"] == 1 else None

    crm = StrictApi(before=fault)
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        to = api(server.url, api=impatient(server.url), lookup=LOOKUP)
        plan = integration(source, to, **upsert())
        report = run(plan)
        crm.before = lambda *_: None
        later = run(plan)
    assert (report.records.written, report.records.failed) == (4, 1)
    assert (later.records.written, later.records.unchanged) == (1, 4)
    assert reasons(plan) == []
    assert crm.effects.count(RECORDS[1]) == 1


@pytest.mark.parametrize("body", ["<html>", b"{", "{}", b"[1]"])
def test_a_success_whose_answer_cannot_be_used_is_unknown(body: Any) -> None:
    with serve(lambda _: RECORDS[:2]) as source, serve(lambda _: answer(body)) as server:
        plan = integration(source, api(server.url, returns={"id": "$.id"}), max_rejected="100%")
        report = run(plan)
    assert report.records.failed == 2
    assert all(reason.startswith("outcome unknown: ") for _, _, reason in reasons(plan))


def test_a_success_is_one_whatever_its_body_where_nothing_is_read_of_it() -> None:
    with serve(lambda _: RECORDS) as source, serve(lambda _: answer("ok")) as server:
        assert run(integration(source, api(server.url))).records.written == 5


def test_errors_inside_of_a_success_are_told_by_the_body() -> None:
    def reply(request: web.Request) -> Any:
        return {"data": {"userErrors": [] if "id" in request.path else [{"message": "bad title"}]}}

    judged = {"success": "count(data.userErrors) == 0", "error": "data.userErrors[0].message"}
    with serve(lambda _: RECORDS) as source, serve(reply) as server:
        plan = integration(source, api(server.url, response=judged), max_rejected="100%")
        report = run(plan)
    assert report.records.failed == 5
    assert {reason for _, _, reason in reasons(plan)} == {
        "The API answered 200, but no success (response.success): bad title"
    }


def test_a_redirect_that_would_change_the_request_ends_the_run() -> None:
    moved = answer({}, 302, {"Location": "/elsewhere"})
    with serve(lambda _: RECORDS) as source, serve(lambda _: moved) as server:
        error = failed_run(integration(source, api(server.url)))
    assert isinstance(error, RefusedError)


def test_a_record_that_cannot_fill_in_the_request_is_rejected() -> None:
    records = [{"id": 1, "name": "a"}, {"id": 2, "name": None}, {"id": 3, "name": "x\ny"}]
    crm = StrictApi()
    request = {"path": "/contacts/{{name}}", "headers": {"X-Name": "{{name}}"}}
    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url, request=request))
        report = run(plan)
    assert report.records.written == 1
    assert report.records.rejected + report.records.failed == 2
    assert len(crm.effects) == 1


def test_an_upsert_rejects_a_record_without_its_key() -> None:
    crm = StrictApi()
    with serve(lambda _: [*RECORDS, {"id": None, "name": "x"}]) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        report = run(plan)
    assert (report.records.written, report.records.rejected) == (5, 1)
    assert reasons(plan)[0][1:] == ("key", "the key is empty")
