from __future__ import annotations

from typing import Any

import pytest
from tests.support.reading import Slept, client, paginator
from tests.support.server import answer, replies, serve

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    CredentialsError,
)
from astrio.tasks.answers import Answers, message_of
from astrio.tasks.batch import Page
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.reading import ReadPlan, read_pages
from astrio.tasks.settings import ResponseSettings

GET = ApiRequest("GET", "/orders")
TOKENS = {"type": "cursor", "param": "after", "next": "next"}


async def read(
    url: str, settings: dict[str, Any], request: ApiRequest = GET, *,
    page: dict[str, Any] | None = None, records: str = "items", **options: Any,
) -> list[Page]:  # fmt: skip
    answers = Answers(ResponseSettings.model_validate(settings), records)
    made = paginator(page or {"type": "none"})
    plan = ReadPlan(made.first(request), made, records=records, answers=answers)
    async with client(url, **options) as opened:
        return [page async for page in read_pages(opened, plan)]


async def failure(body: Any, settings: dict[str, Any], **options: Any) -> AstrioError:
    with serve(replies(body)) as server, pytest.raises(AstrioError) as caught:
        await read(server.url, settings, **options)
    return caught.value


async def test_a_200_that_says_it_failed_is_a_failure_with_the_vendors_message() -> None:
    body = {"ok": False, "error": "channel_not_found", "items": []}
    error = await failure(body, {"success": "ok", "error": "error"})
    assert type(error) is ApiAnswerError
    assert error.message == "The API answered 200, but no success (response.success): " + (
        "channel_not_found"
    )
    assert "/orders (page 1)" in (error.request or "")


async def test_success_is_checked_on_every_page() -> None:
    pages = replies(
        {"ok": True, "items": [{"id": 1}], "next": "b"}, {"ok": False, "items": [], "next": None}
    )
    with serve(pages) as server, pytest.raises(ApiAnswerError, match="no success"):
        await read(server.url, {"success": "ok"}, page=TOKENS)


@pytest.mark.parametrize("body", [[], {}, {"ok": None}, {"ok": 0}, answer(b"<html>")])
async def test_what_does_not_say_success_is_none(body: Any) -> None:
    assert isinstance(await failure(body, {"success": "ok"}), ApiAnswerError)


async def test_a_predicate_that_cannot_be_evaluated_is_no_success() -> None:
    error = await failure({"code": "x"}, {"success": "code < 5"})
    assert "response.success cannot be evaluated" in error.message


async def test_an_answer_without_a_body_is_not_judged() -> None:
    with serve(replies(answer(None, 204))) as server:
        answers = Answers(ResponseSettings(success="ok"))
        async with client(server.url) as opened:
            assert (await opened.send(GET, answers=answers)).status == 204


@pytest.mark.parametrize("status", [200, 400, 403])
async def test_a_body_that_asks_to_retry_is_asked_for_again_whatever_its_status(
    status: int,
) -> None:
    throttled = answer({"error": "throttled"}, status, {"Retry-After": "7"})
    slept = Slept()
    with serve(replies(throttled, {"items": [{"id": 1}]})) as server:
        post = ApiRequest("POST", "/orders", body={})
        settings = {"retry": "error == 'throttled'"}
        pages = await read(server.url, settings, post, sleep=slept)
    assert (pages[0].records, slept) == ([{"id": 1}], [7.0])


async def test_retries_end_and_the_vendors_message_stays() -> None:
    body = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    error = await failure(body, {"retry": "errors[0].extensions.code == 'THROTTLED'"})
    assert isinstance(error, ApiUnavailableError)
    assert "Throttled (tried 4 times)" in error.message


async def test_a_body_can_say_that_the_credentials_are_refused() -> None:
    settings = {"unauthorized": "error == 'invalid_auth'", "success": "ok"}
    error = await failure({"ok": False, "error": "invalid_auth"}, settings)
    assert isinstance(error, CredentialsError)
    assert "invalid_auth" in error.message


async def test_no_canary_in_a_vendors_message_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary-5512")
    auth = {"type": "bearer", "token": "${env:TOKEN}"}
    body = {"ok": False, "error": "no such token canary-5512"}
    error = await failure(body, {"success": "ok", "error": "error"}, auth=auth)
    assert "canary" not in str(error)


async def test_records_that_are_errors_become_rejects_and_are_counted() -> None:
    items = [{"id": 1}, {"id": 2, "error": {"message": "is locked"}}, {"id": 3, "error": None}]
    with serve(lambda _: {"items": items}) as server:
        page = (await read(server.url, {"failed": "error"}))[0]
    assert [each["id"] for each in page.records] == [1, 3]
    assert (page.fetched, page.filtered, len(page.rejects)) == (3, 0, 1)
    problem = page.rejects[0].problems[0]
    assert (problem.rule, problem.reason) == ("failed", "The API says: is locked")


async def test_an_error_records_message_has_its_path_and_may_be_missing() -> None:
    items = [{"why": "late"}, {"bad": 1}, "x"]
    settings = {"failed": "why or bad or lower(nothing)", "failed_message": "why"}
    with serve(lambda _: {"items": items}) as server:
        page = (await read(server.url, settings))[0]
    reasons = [each.problems[0].reason for each in page.rejects]
    assert reasons == [
        "The API says: late",
        "The API failed it.",
        "the record is text, not an object",
    ]


async def test_a_predicate_that_a_record_breaks_quarantines_it() -> None:
    with serve(lambda _: {"items": [{"n": "x"}, {"n": 9}]}) as server:
        page = (await read(server.url, {"failed": "n < 5"}))[0]
    assert (len(page.records), page.rejects[0].problems[0].rule) == (1, "failed")


async def test_broken_lines_are_counted_and_quarantined() -> None:
    body = answer(b"a,b\n1,2\n3\n", headers={"Content-Type": "text/csv"})
    with serve(lambda _: body) as server:
        page = (await read(server.url, {"format": "csv", "broken": "reject"}, records="$"))[0]
    assert (page.fetched, page.records) == (2, [{"a": "1", "b": "2"}])
    assert page.rejects[0].record == {"line": 3, "content": ["3"]}
    assert server.requests[0].headers["Accept"] == "text/csv, */*;q=0.5"


@pytest.mark.parametrize("where", ["connection", "request"])
async def test_an_own_accept_header_stays(where: str) -> None:
    own = {"accept": "application/vnd.x"}
    request = ApiRequest("GET", "/", headers=own if where == "request" else {})
    with serve(lambda _: answer(b"", headers={"Content-Type": "text/plain"})) as server:
        await read(
            server.url, {"format": "jsonl"}, request, records="$",
            headers=own if where == "connection" else {},
        )  # fmt: skip
    assert server.requests[0].headers["Accept"] == "application/vnd.x"


def test_expressions_with_mistakes_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="nope"):
        Answers(ResponseSettings(success="nope(1)"))


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"e": {"m": "x\ny"}}, "e.m", "x y"), ({"message": "m"}, None, "m"),
        ({"code": 17}, "code", "17"), ({"e": {"detail": "d"}}, "e", "d"), ({}, "e", ""),
        ({"e": "x" * 900}, "e", "x" * 199 + "…"), ({1: object()}, None, ""),
    ],
)  # fmt: skip
def test_a_message_is_one_short_line(value: Any, path: str | None, message: str) -> None:
    assert message_of(value, path) == message


async def test_a_wait_that_a_final_refusal_names_does_not_hide_the_refusal() -> None:
    body = answer({"ok": False, "error": "closed"}, 200, {"Retry-After": "99999"})
    error = await failure(body, {"success": "ok"})
    assert "closed" in error.message
