from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import client, send
from tests.support.server import (
    answer,
    serve,
    unused_url,
)

from astrio.blocks.errors import (
    ConfigurationError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


async def test_an_answer_holds_status_headers_body_and_url() -> None:
    with serve({"/api/orders": lambda _: answer({"a": 1}, headers={"X-Some": "b"})}) as server:
        got = await send(server.url + "/api/", GET)
    assert (got.status, got.content) == (200, b'{"a": 1}')
    assert got.headers["x-some"] == "b"
    assert got.url == server.url + "/api/orders"


async def test_the_client_names_itself_and_asks_for_json() -> None:
    with serve(lambda _: {}) as server:
        await send(server.url, headers={"X-Team": "data"})
    headers = server.requests[0].headers
    assert headers["User-Agent"].startswith("Astrio-Integration/")
    assert headers["Accept"] == "application/json"
    assert headers["X-Team"] == "data"


async def test_own_headers_win_over_the_connections_and_those_over_the_defaults() -> None:
    with serve(lambda _: {}) as server:
        request = ApiRequest("GET", "/", headers={"x-team": "mine"})
        await send(server.url, request, headers={"user-agent": "Own/1", "X-Team": "theirs"})
    headers = server.requests[0].headers
    assert (headers["User-Agent"], headers.getall("X-Team")) == ("Own/1", ["mine"])  # type: ignore[attr-defined] # aiohttp's multidict


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({}, "/orders"),
        ({"a": None, "b": ""}, "/orders?b="),
        ({"a": [1, None, "x"], "b": True, "c": False}, "/orders?a=1&a=x&b=true&c=false"),
        ({"a b": "c d&e=é+/"}, "/orders?a%20b=c%20d%26e%3D%C3%A9%2B%2F"),
        ({"d": date(2024, 5, 1)}, "/orders?d=2024-05-01"),
        ({"f": {"a": [1]}, "n": 1.5}, "/orders?f%5Ba%5D=1&n=1.5"),
    ],
)
async def test_parameters_are_encoded(params: dict[str, Any], target: str) -> None:
    with serve(lambda _: {}) as server:
        await send(server.url, ApiRequest("GET", "/orders", params=params))
        assert server.requests[0].target == target


async def test_parameters_replace_those_of_the_url_and_leave_the_others_as_they_are() -> None:
    with serve(lambda _: {}) as server:
        await send(server.url, ApiRequest("GET", "/o?a=1&b=x%2By+z&a=2&c", params={"a": 3}))
        assert server.requests[0].target == "/o?b=x%2By+z&c&a=3"


@pytest.mark.parametrize(
    ("request_", "content", "kind"),
    [
        (ApiRequest("POST", "/", body={"a": [1, None]}), b'{"a":[1,null]}', "application/json"),
        (
            ApiRequest("POST", "/", body={"a": [1, 2], "b": "x y"}, body_kind="form"),
            b"a=1&a=2&b=x%20y",
            "application/x-www-form-urlencoded",
        ),
        (
            ApiRequest("POST", "/", body="grüß", body_kind="text"),
            "grüß".encode(),
            "text/plain; charset=utf-8",
        ),
        (
            ApiRequest("PUT", "/", body="x", body_kind="text", headers={"content-type": "a/b"}),
            b"x",
            "a/b",
        ),
    ],
)
async def test_bodies_are_encoded_by_kind(request_: ApiRequest, content: bytes, kind: str) -> None:
    with serve(lambda _: {}) as server:
        await send(server.url, request_)
    assert server.requests[0].body == content
    assert server.requests[0].headers["Content-Type"] == kind


async def test_references_are_filled_in_only_when_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary/81f2")
    request = ApiRequest(
        "POST",
        "/shops/${env:SECRET}",
        params={"p": "${env:SECRET}"},
        headers={"X-H": "${env:SECRET}"},
        body={"b": ["${env:SECRET}"]},
    )
    with serve(lambda _: {}) as server:
        monkeypatch.setenv("BASE", server.url)
        await send("${env:BASE}", request)
    seen = server.requests[0]
    assert seen.target == "/shops/canary%2F81f2?p=canary%2F81f2"
    assert (seen.headers["X-H"], seen.json()) == ("canary/81f2", {"b": ["canary/81f2"]})
    assert "canary" not in str(request)


async def test_a_header_that_cannot_be_sent_is_a_configuration_error() -> None:
    with serve(lambda _: {}) as server:
        with pytest.raises(ConfigurationError, match="line break"):
            await send(server.url, ApiRequest("GET", "/", headers={"X-A": "a\r\nX-B: c"}))
        assert not server.requests


async def test_credentials_go_with_each_request_and_never_into_the_answers_url() -> None:
    auth = {"type": "api_key", "query": "api_key", "value": "canary-5512"}
    with serve(lambda _: {}) as server:
        got = await send(server.url, ApiRequest("GET", "/o?api_key=old&a=1"), auth=auth)
    assert server.requests[0].query == {"a": ["1"], "api_key": ["canary-5512"]}
    assert "canary" not in got.url


async def test_no_more_connections_are_open_than_allowed() -> None:
    busy, most = 0, 0

    async def slow(_: web.Request) -> Any:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        return {}

    with serve(slow) as server:
        async with client(server.url, limits={"concurrency": 2}) as opened:
            await asyncio.gather(*(opened.send(GET) for _ in range(8)))
    assert most == 2


async def test_proxies_of_the_environment_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", unused_url())
    with serve(lambda _: {}) as server:
        assert (await send(server.url)).status == 200


def test_a_missing_variable_stops_the_client_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MISSING", raising=False)
    with pytest.raises(ConfigurationError, match="MISSING"):
        client("https://a", auth={"type": "bearer", "token": "${env:MISSING}"})
