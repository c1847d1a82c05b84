from __future__ import annotations

import logging
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import NO_RETRY, send
from tests.support.server import (
    answer,
    serve,
    serve_raw,
)

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    CredentialsError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


STATUSES: list[tuple[int, type[AstrioError], str]] = [
    (400, ApiAnswerError, "Check the request's params"),
    (401, CredentialsError, "Verify the API credentials"),
    (403, CredentialsError, "Check the API permissions"),
    (404, ApiAnswerError, "Check base_url and path"),
    (407, ApiAnswerError, "proxy"),
    (410, ApiAnswerError, "has removed this"),
    (418, ApiAnswerError, "documentation"),
    (422, ApiAnswerError, "refuses its values"),
    (429, ApiUnavailableError, "Wait before running again"),
    (500, ApiUnavailableError, "contact the service provider"),
    (599, ApiUnavailableError, "contact the service provider"),
]


@pytest.mark.parametrize(("status", "kind", "advice"), STATUSES)
async def test_a_status_becomes_an_error_with_advice(
    status: int, kind: type[AstrioError], advice: str
) -> None:
    with serve(lambda _: answer({}, status)) as server, pytest.raises(kind) as caught:
        await send(server.url, GET, retry=NO_RETRY)
    assert f"The API answered {status}" in caught.value.message
    assert advice in caught.value.advice
    assert caught.value.request == f"GET {server.url}/orders (page 3)"


async def test_the_files_own_text_replaces_the_advice() -> None:
    with serve(lambda _: answer({}, 401)) as server, pytest.raises(CredentialsError) as caught:
        await send(server.url, errors={"401": "Unauthorized - verify the API credentials"})
    assert caught.value.advice == "Unauthorized - verify the API credentials"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "No such\n order."}, ": No such order."),
        ({"error": {"message": "Bad"}}, ": Bad"),
        ({"error": "invalid_scope", "error_description": "Too wide"}, ": Too wide"),
        ({"errors": [{"detail": "Not a number"}]}, ": Not a number"),
        ({"detail": "x" * 500}, ": " + "x" * 199 + "…"),
        ({"message": "", "title": "Oops"}, ": Oops"),
        ({"error": {"error": {"error": {"error": "too deep"}}}}, "."),
        ({"errors": []}, "."),
        ({"data": "payload"}, "."),
        ([{"message": "listed"}], ": listed"),
        (7, "."),
        ({"message": [7]}, "."),
        (b"\xff\xfe", "."),
        ("<html>payload</html>", "."),
        ({"message": "token=canary-77 is wrong"}, ": token=*** is wrong"),
    ],
)
async def test_only_the_vendors_message_is_quoted(body: Any, said: str) -> None:
    with serve(lambda _: answer(body, 400)) as server, pytest.raises(ApiAnswerError) as caught:
        await send(server.url)
    assert caught.value.message == "The API answered 400 Bad Request" + said


async def test_a_plain_text_message_is_quoted() -> None:
    raw = b"HTTP/1.1 400 Bad\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nno\tsuch x"
    with serve_raw(raw) as server, pytest.raises(ApiAnswerError, match="Bad Request: no such x"):
        await send(server.url)


async def test_no_secret_shows_in_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = {"type": "api_key", "query": "key", "value": "canary-90441"}

    def echo(request: web.Request) -> web.Response:
        return answer({"message": f"wrong key {request.query['key']}"}, 400)

    with serve(echo) as server, pytest.raises(ApiAnswerError) as caught:
        await send(server.url, ApiRequest("GET", "/", params={"token": "t0ken"}), auth=auth)
    assert "canary" not in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert "canary" not in caplog.text


async def test_a_long_url_is_shortened_in_errors() -> None:
    with serve(lambda _: answer({}, 400)) as server, pytest.raises(ApiAnswerError) as caught:
        await send(server.url, ApiRequest("GET", "/", params={"q": "x" * 1000}))
    assert len(caught.value.request or "") < 320
