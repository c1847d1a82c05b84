"""One call: what is filled in, what is never filled in, what is refused before it is sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.connectors import Write
from tests.support.server import HANG, Seen, Server, answer, replies, serve, serve_raw, unused_url

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    OutcomeUnknownError,
    RecordRejectedError,
)
from astrio.tasks.actions.calling import Called, call, preview
from astrio.tasks.actions.given import action_file
from astrio.tasks.actions.settings import ActionFile

SECRET = "the-secret-of-the-test"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_SECRET", SECRET)


async def sent(server: Server, record: Any, path: str = "/", **action: Any) -> Seen:
    """Call an action at the server, and return the request that arrived last."""
    await call(action_file({"url": server.url + path, **action}), record)
    return server.requests[-1]


def refused(action: dict[str, Any], record: Any = None) -> AstrioError:
    """Return the error of a call that sends nothing."""
    with serve({}) as server:
        made = {**action, "url": action["url"].replace("SERVER", server.url)}
        with pytest.raises(AstrioError) as caught:
            asyncio.run(call(action_file(made), record or {}))
        assert server.requests == []
    return caught.value


async def test_a_lone_placeholder_keeps_the_values_kind() -> None:
    body = {"id": "{{id}}", "tags": "{{tags}}", "none": "{{nothing}}", "text": "no {{id}}"}
    with serve(lambda _: {}) as server:
        seen = await sent(server, {"id": 7, "tags": ["a"], "nothing": None}, body=body)
    assert seen.json() == {"id": 7, "tags": ["a"], "none": None, "text": "no 7"}


async def test_the_timestamp_is_the_runs_start() -> None:
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with serve(lambda _: {}) as server:
        file = action_file({"url": server.url, "body": {"at": "{{timestamp}}"}})
        await call(file, {}, started=started)
    assert server.requests[0].json() == {"at": "2026-01-02T03:04:05+00:00"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_is_sent(method: str) -> None:
    with serve(lambda _: answer({})) as server:
        assert (await sent(server, {}, method=method)).method == method


async def test_a_value_stays_one_segment_of_the_path() -> None:
    with serve(lambda _: {}) as server:
        seen = await sent(server, {"id": "../a?b#c"}, "/x/{{id}}/y", method="GET")
    assert seen.target == "/x/..%2Fa%3Fb%23c/y"


@given(st.text(min_size=1))
@settings(max_examples=200, deadline=None)
def test_no_value_leads_to_another_host_or_path(value: str) -> None:
    file = action_file({"url": "https://api.example.com/a/{{x}}/b?q={{x}}", "method": "GET"})
    try:
        url = preview(file, {"x": value}).url
    except AstrioError:
        return
    assert url.startswith("https://api.example.com/a/")
    assert url.partition("?")[0].count("/") == 5


@pytest.mark.parametrize(
    "url",
    ["https://{{host}}/a", "{{url}}", "https://a.{{x}}", "https://u:p@a.example/", "ftp://a/", "a"],
)
def test_an_address_that_a_record_could_change_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="has mistakes"):
        action_file({"url": url, "body": {}})


async def test_references_in_a_record_are_text_wherever_they_go() -> None:
    evil = {"x": "${env:CALL_SECRET}", "~0~": "${secret:any}"}
    with serve(lambda _: {}) as server:
        for kind in ("body", "form", "multipart"):
            seen = await sent(
                server,
                evil,
                "/{{x}}",
                params={"p": "{{x}}"},
                headers={"X-A": "{{x}}"},
                **{kind: {"a": "{{x}}", "b": "${env:CALL_SECRET} {{x}}"}},
            )
            assert seen.headers["X-A"] == "${env:CALL_SECRET}"
            assert seen.query == {"p": ["${env:CALL_SECRET}"]}
            assert seen.body.count(SECRET.encode()) == 1
            assert SECRET not in seen.target
        for kind in ("text", "xml"):
            seen = await sent(server, evil, **{kind: "<a>{{x}}</a> ${env:CALL_SECRET}"})
            assert seen.body.decode() == f"<a>${{env:CALL_SECRET}}</a> {SECRET}"


async def test_a_secret_with_markup_stays_text_in_xml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_SECRET", "a<b>&'\"{{x}}")
    with serve(lambda _: {}) as server:
        seen = await sent(server, {"x": 1}, xml="<a>${env:CALL_SECRET}</a>")
    assert seen.body.decode() == "<a>a&lt;b&gt;&amp;&apos;&quot;{{x}}</a>"


async def test_the_whole_url_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda _: {}) as server:
        monkeypatch.setenv("HOOK", f"{server.url}/services/T/{{{{x}}}}")
        called = await call(action_file({"url": "${env:HOOK}/{{id}}", "body": {}}), {"id": 7})
        assert server.requests[0].path == "/services/T/{{x}}/7"
    assert "services" not in called.request


def test_a_value_never_becomes_a_file_of_this_machine() -> None:
    error = refused(
        {"url": "SERVER", "multipart": {"photo": "{{photo}}"}}, {"photo": {"file": "/etc/passwd"}}
    )
    assert isinstance(error, RecordRejectedError)
    error = refused(
        {"url": "SERVER", "multipart": {"photo": ["{{photo}}"]}}, {"photo": {"file": "/etc/passwd"}}
    )
    assert "is an object" in error.message


def test_a_record_that_lacks_a_field_is_not_sent() -> None:
    error = refused({"url": "SERVER", "body": {"a": "{{user.id}}"}}, {"usr": "ada@example.com"})
    assert isinstance(error, RecordRejectedError)
    assert "ada@example.com" not in str(error)


def test_a_variable_that_is_not_set_is_told_before_sending() -> None:
    error = refused({"url": "SERVER", "body": {"a": "${env:NOT_SET_HERE}"}})
    assert isinstance(error, ConfigurationError)
    assert "NOT_SET_HERE" in error.message


def test_a_list_is_no_record() -> None:
    with pytest.raises(ConfigurationError, match="one record"):
        preview(action_file({"url": "https://a.example"}), [1])  # type: ignore[arg-type]


def mapped(url: str, **more: Any) -> ActionFile:
    return action_file(
        {
            "vars": {"list": "news"},
            "map": {"to.email": "lower(email)", "name": "name"},
            "validate": [
                {"field": "to.email", "type": "email"},
                {"field": "name", "required": True},
            ],
            "push": {
                "to": {"url": url, "body": {"email": "{{to.email}}", "list": "{{list}}"}},
            },
            **more,
        }
    )


async def test_the_record_goes_through_the_mapping_first() -> None:
    with serve(lambda _: {}) as server:
        await call(mapped(server.url), {"email": "ADA@EXAMPLE.COM", "name": "Ada"})
    assert server.requests[0].json() == {"email": "ada@example.com", "list": "news"}


async def test_a_record_that_breaks_rules_is_not_sent_and_every_reason_is_told() -> None:
    with serve({}) as server:
        with pytest.raises(RecordRejectedError) as caught:
            await call(mapped(server.url), {"email": "ada(at)example", "name": None})
        assert server.requests == []
    assert "to.email" in caught.value.message
    assert "name" in caught.value.message
    assert "ada(at)example" not in str(caught.value)


async def test_rules_without_a_mapping_judge_the_record_itself() -> None:
    rules = [{"field": "user.email", "type": "email"}]
    action = {"url": "https://a.example", "validate": rules, "body": {"e": "{{user.email}}"}}
    would = preview(action_file(action), {"user": {"email": "ada@example.com"}})
    assert would.body == '{"e":"ada@example.com"}'
    with pytest.raises(RecordRejectedError):
        preview(action_file(action), {"user": {"email": "ada"}})


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, "{{text}}", b"a=1"),
        ({"Content-Type": "application/json"}, "{{text}}", b"a=1"),
        ({"content-type": "application/x-www-form-urlencoded"}, {"t": "{{text}}"}, b"t=a%3D1"),
        ({}, {"t": "{{text}}"}, b'{"t":"a=1"}'),
        ({}, "{{object}}", b'{"n":1}'),
    ],
)
async def test_a_body_is_sent_in_the_form_that_it_has(
    headers: dict[str, str], body: Any, expected: bytes
) -> None:
    with serve(lambda _: {}) as server:
        record = {"text": "a=1", "object": {"n": 1}}
        assert (await sent(server, record, headers=headers, body=body)).body == expected


async def test_a_post_whose_answer_is_lost_is_unknown_and_not_sent_again() -> None:
    with serve_raw(HANG) as server:
        action = {"url": server.url, "body": {"a": 1}, "timeout": {"read": 0.2}}
        with pytest.raises(OutcomeUnknownError, match="is unknown") as caught:
            await call(action_file(action), {})
        assert len(server.requests) == 1
    assert caught.value.kind == "unknown"


async def test_a_keyed_post_is_sent_again_with_the_same_key() -> None:
    with serve(replies(answer({}, 503, {"Retry-After": "0"}), {"ok": True})) as server:
        action = {"url": server.url, "body": {}, "idempotencyKey": True}
        await call(action_file({**action, "retry": {"retryDelay": 0}}), {})
        keys = {each.headers["Idempotency-Key"] for each in server.requests}
    assert len(server.requests) == 2
    assert len(keys) == 1


async def test_an_api_that_is_away_is_told_to_be() -> None:
    action = {"url": unused_url(), "method": "GET", "retry": {"maxRetries": 0}}
    with pytest.raises(ApiUnavailableError, match="cannot be reached"):
        await call(action_file(action), {})


async def test_the_files_own_words_replace_the_advice() -> None:
    with serve(lambda _: answer({}, 404)) as server:
        action = {"url": server.url, "body": {}, "errors": {"404": "Ask Ada"}}
        with pytest.raises(ApiAnswerError) as caught:
            await call(action_file(action), {})
    assert caught.value.advice == "Ask Ada"


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    target = "http://169.254.169.254/latest"
    with serve(lambda _: answer({}, 307, {"Location": target})) as server:
        with pytest.raises(ApiAnswerError):
            await call(action_file({"url": server.url, "body": {}, "retry": {"maxRetries": 0}}), {})
        assert len(server.requests) == 1


async def test_success_may_be_told_by_the_body() -> None:
    with serve(lambda _: {"ok": False, "error": "channel_not_found"}) as server:
        action = {"url": server.url, "body": {}, "response": {"success": "ok"}}
        with pytest.raises(ApiAnswerError, match="channel_not_found"):
            await call(action_file(action), {})


async def test_the_answer_is_returned_and_not_shown() -> None:
    with serve(lambda _: {"id": 7, "access_token": "abc-def-ghi"}) as server:
        called = await call(action_file({"url": server.url, "body": {}}), {})
    assert called.json() == {"id": 7, "access_token": "abc-def-ghi"}
    assert isinstance(called, Called)
    assert "abc-def-ghi" not in called.excerpt + repr(called)


def test_a_preview_reads_no_secret_and_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALL_SECRET")
    action = {
        "url": "https://a.example/x?y=1",
        "method": "PUT",
        "params": {"q": "{{id}}"},
        "headers": {"Authorization": "Bearer ${env:CALL_SECRET}", "X-Id": "{{id}}"},
        "auth": {"type": "bearer", "token": "${env:CALL_SECRET}"},
        "body": {"password": "${env:CALL_SECRET}", "id": "{{id}}"},
    }
    would = preview(action_file(action), {"id": 7})
    assert (would.method, would.url) == ("PUT", "https://a.example/x?y=1&q=7")
    assert would.headers == {
        "Content-Type": "application/json",
        "Authorization": "***",
        "X-Id": "7",
    }
    assert would.body == '{"password":"***","id":7}'


def test_a_preview_tells_how_large_a_binary_body_is() -> None:
    for kind, value in (("base64", "/9j/4A=="), ("multipart", {"a": "b"})):
        would = preview(action_file({"url": "https://a.example", kind: value}), {})
        assert would.body is not None
        assert would.body.endswith("bytes)")
    assert preview(action_file({"url": "https://a.example"}), {}).body is None


@pytest.mark.parametrize("url", ["no-url", "https://user:pass@a.example/x"])
async def test_a_secret_that_is_no_url_is_told_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALL_SECRET", url)
    with pytest.raises(ConfigurationError, match="cannot be used") as caught:
        await call(action_file({"url": "${env:CALL_SECRET}", "body": {}}), {})
    assert url not in str(caught.value)


async def test_references_are_filled_in_within_parts_and_operations() -> None:
    parts = {"note": {"text": "${env:CALL_SECRET} {{x}}", "content_type": "text/plain"}}
    query = {"query": "mutation { a }", "variables": {"key": "${env:CALL_SECRET}", "x": "{{x}}"}}
    with serve(lambda _: {}) as server:
        seen = await sent(server, {"x": "${env:CALL_SECRET}"}, multipart=parts)
        assert seen.body.count(SECRET.encode()) == 1
        seen = await sent(server, {"x": "${env:CALL_SECRET}"}, graphql=query)
        assert seen.json()["variables"] == {"key": SECRET, "x": "${env:CALL_SECRET}"}


async def test_an_answer_that_is_spooled_is_returned_whole() -> None:
    response = {"format": "jsonl", "retry": "busy"}
    with serve(lambda _: answer(b'{"a": 1}\n{"a": 2}\n')) as server:
        called = await call(action_file({"url": server.url, "response": response}), {})
    assert called.content == b'{"a": 1}\n{"a": 2}\n'


async def test_ones_own_function_may_map_a_record_or_leave_it_out(write: Write) -> None:
    write("call_people.py", "def row(each):\n    return each if each['id'] else None\n")
    action = {"url": "https://a.example", "transform": "call_people:row", "body": {"id": "{{id}}"}}
    assert preview(action_file(action), {"id": 7}).body == '{"id":7}'
    with pytest.raises(RecordRejectedError, match="leaves the record out"):
        preview(action_file(action), {"id": 0})


async def test_a_model_may_judge_the_record(write: Write) -> None:
    text = "from pydantic import BaseModel\n\nclass Person(BaseModel):\n    id: int\n"
    write("call_models.py", text)
    action = {
        "url": "https://a.example",
        "validate": "call_models:Person",
        "body": {"id": "{{id}}"},
    }
    assert preview(action_file(action), {"id": 7}).body == '{"id":7}'
    with pytest.raises(RecordRejectedError, match="id"):
        preview(action_file(action), {"id": "x"})
