from __future__ import annotations

import asyncio
import gzip
import logging
import zlib
from datetime import date
from random import Random
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import NO_RETRY, Slept, client, send
from tests.support.server import (
    HANG,
    RESET,
    answer,
    replies,
    serve,
    serve_raw,
    unused_url,
)

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    CredentialsError,
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
        ({"a b": "c d&e=é+/"}, "/orders?a%20b=c%20d%26e%3D%C3%A9%2B/"),
        ({"d": date(2024, 5, 1)}, "/orders?d=2024-05-01"),
        ({"f": {"a": [1]}, "n": 1.5}, "/orders?f=%7B%22a%22:[1]%7D&n=1.5"),
    ],
)
async def test_parameters_are_encoded(params: dict[str, Any], target: str) -> None:
    with serve(lambda _: {}) as server:
        await send(server.url, ApiRequest("GET", "/orders", params=params))
        assert server.requests[0].target.replace("%5B", "[").replace("%5D", "]") == target


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
    assert seen.target == "/shops/canary%2F81f2?p=canary/81f2"
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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_the_same_origin_is_followed(status: int) -> None:
    auth = {"type": "bearer", "token": "canary-5512"}
    routes = {
        "/orders": lambda _: answer({}, status, {"Location": "/v2/orders?page=1"}),
        "/v2/orders": lambda _: {"ok": True},
    }
    with serve(routes) as server:
        got = await send(server.url, GET, auth=auth)
    assert got.url.endswith("/v2/orders?page=1")
    assert server.requests[1].headers["Authorization"] == "Bearer canary-5512"


async def test_a_post_is_redirected_only_as_a_post() -> None:
    routes = {
        "/orders": lambda _: answer({}, 307, {"Location": "/v2"}),
        "/old": lambda _: answer({}, 302, {"Location": "/v2"}),
        "/v2": lambda _: {},
    }
    with serve(routes) as server:
        await send(server.url, POST)
        assert [(seen.method, seen.body) for seen in server.requests[1:]] == [("POST", b'{"a":1}')]
        with pytest.raises(ApiAnswerError, match="would turn it into a GET"):
            await send(server.url, ApiRequest("POST", "/old", body={}))


async def test_endless_redirects_are_given_up() -> None:
    with serve(lambda _: answer({}, 302, {"Location": "/orders"})) as server:
        with pytest.raises(ApiAnswerError, match="more than 5 times"):
            await send(server.url)
        assert len(server.requests) == 6


async def test_a_redirect_to_another_origin_is_refused_and_nothing_sent_there() -> None:
    with (
        serve(lambda _: {}) as other,
        serve(lambda _: answer({}, 302, {"Location": other.url + "/steal"})) as server,
    ):
        with pytest.raises(ApiAnswerError) as caught:
            await send(server.url, auth={"type": "bearer", "token": "canary-5512"})
        assert other.url in caught.value.message
        assert server.url in caught.value.message
        assert not other.requests


async def test_a_redirect_to_an_allowed_host_is_followed_with_credentials() -> None:
    with (
        serve(lambda _: {}) as other,
        serve(lambda _: answer({}, 302, {"Location": other.url + "/x"})) as server,
    ):
        host = other.url.removeprefix("http://")
        await send(server.url, auth={"type": "bearer", "token": "canary"}, allow_hosts=[host])
        assert other.requests[0].headers["Authorization"] == "Bearer canary"


@pytest.mark.parametrize("location", ["http://[::1", "http://a b/", "//evil\\@h/"])
async def test_a_redirect_to_no_url_is_refused(location: str) -> None:
    with (
        serve_raw(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()) as server,
        pytest.raises(ApiAnswerError, match="cannot be followed"),
    ):
        await send(server.url)


async def test_a_redirect_without_a_location_is_an_error() -> None:
    with (
        serve(lambda _: answer({}, 304)) as server,
        pytest.raises(ApiAnswerError, match="answered 304 Not Modified"),
    ):
        await send(server.url)


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


# --- retries


async def test_a_failure_that_passes_is_retried() -> None:
    slept = Slept()
    handler = replies(answer({}, 500), answer({}, 503), {"ok": True})
    with serve(handler) as server:
        async with client(server.url, sleep=slept) as opened:
            assert (await opened.send(GET)).content == b'{"ok": true}'
            report = opened.stats.report()
    assert slept == [1.0, 2.0]
    assert (report.sent, report.retried) == (3, 2)


async def test_a_failure_that_stays_says_how_often_it_was_tried() -> None:
    with serve(lambda _: answer({"message": "down"}, 502)) as server:
        with pytest.raises(ApiUnavailableError, match=r"502 Bad Gateway: down \(tried 4 times\)"):
            await send(server.url)
        assert len(server.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
async def test_other_statuses_are_not_retried(status: int) -> None:
    with serve(lambda _: answer({}, status)) as server:
        with pytest.raises(AstrioError):
            await send(server.url, GET)
        assert len(server.requests) == 1


async def test_a_listed_client_error_is_retried_and_then_unavailable() -> None:
    with (
        serve(lambda _: answer({}, 404)) as server,
        pytest.raises(ApiUnavailableError, match="tried 3 times"),
    ):
        await send(server.url, retry={"max_retries": 2, "retry_on_status": [404]})


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "2.5"}, [2.5]),
        ({"Retry-After": "Wed, 01 May 2024 10:00:09 GMT", "Date": "x"}, [9.0]),
        (
            {
                "Retry-After": "Wed, 01 May 2024 12:00:09 GMT",
                "Date": "Wed, 01 May 2024 12:00:00 GMT",
            },
            [9.0],
        ),
        ({"Retry-After": "Wed, 01 May 2024 09:00:00 GMT", "Date": "x"}, [1.0]),
        ({"Retry-After": "-5"}, [1.0]),
        ({"Retry-After": "soon"}, [1.0]),
        ({"Retry-After": "nan"}, [1.0]),
        ({}, [1.0]),
    ],
)
async def test_a_wait_is_never_shorter_than_the_api_asks(
    header: dict[str, str], waits: list[float]
) -> None:
    slept = Slept()
    with serve(replies(answer({}, 429, header), {})) as server:
        await send(server.url, sleep=slept)
    assert slept == waits


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.999])
async def test_jitter_comes_on_top_of_the_wait(chance: float) -> None:
    slept = Slept()
    handler = replies(answer({}, 429, {"Retry-After": "7"}), answer({}, 500), {})
    with serve(handler) as server:
        await send(server.url, sleep=slept, chance=chance)
    assert slept == [7 + chance, 2 + 2 * chance]


async def test_a_backoff_stays_below_the_longest_wait() -> None:
    slept = Slept()
    retry = {"max_retries": 4, "retry_delay": 1000, "backoff_multiplier": 10, "max_wait": 3000}
    with serve(lambda _: answer({}, 500)) as server, pytest.raises(ApiUnavailableError):
        await send(server.url, sleep=slept, chance=0.5, retry=retry)
    assert slept == [1.5, 3.0, 3.0, 3.0]


async def test_a_wait_longer_than_allowed_fails_at_once_and_names_the_time() -> None:
    slept = Slept()
    with serve(lambda _: answer({}, 429, {"Retry-After": "3600"})) as server:
        with pytest.raises(ApiUnavailableError, match="until 2024-05-01 11:00:00 UTC"):
            await send(server.url, sleep=slept)
        assert len(server.requests) == 1
    assert slept == []


@pytest.mark.parametrize(
    ("status", "headers", "strict", "sent"),
    [
        (429, {"Retry-After": "0"}, False, 2),
        (503, {"Retry-After": "0"}, False, 2),
        (429, {}, False, 1),
        (503, {}, False, 1),
        (502, {"Retry-After": "0"}, False, 1),
        (429, {"Retry-After": "0"}, True, 1),
    ],
)
async def test_a_given_list_is_widened_by_retry_after_unless_strict(
    status: int, headers: dict[str, str], strict: bool, sent: int
) -> None:
    retry = {"max_retries": 1, "retry_on_status": [500], "strict": strict}
    with serve(lambda _: answer({}, status, headers)) as server:
        with pytest.raises(ApiUnavailableError):
            await send(server.url, retry=retry)
        assert len(server.requests) == sent


@pytest.mark.parametrize(
    ("status", "headers", "sent"),
    [(500, {}, 1), (503, {"Retry-After": "0"}, 1), (429, {}, 1), (429, {"Retry-After": "0"}, 2)],
)
async def test_a_post_is_repeated_only_when_it_was_surely_not_carried_out(
    status: int, headers: dict[str, str], sent: int
) -> None:
    with serve(lambda _: answer({}, status, headers)) as server:
        with pytest.raises(ApiUnavailableError):
            await send(server.url, POST, retry={"max_retries": 1})
        assert len(server.requests) == sent


async def test_a_post_that_only_reads_is_retried() -> None:
    reading = ApiRequest("POST", "/search", body={}, idempotent=True)
    with serve(replies(answer({}, 500), {})) as server:
        await send(server.url, reading)
        assert len(server.requests) == 2


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
GZIPPED = gzip.compress(b"[1]" * 1000)


def compressed(body: bytes, encoding: str = "gzip") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


BROKEN = {
    "too short": SHORT,
    "chunks that break off": CHUNKED,
    "closed without an answer": b"",
    "reset": RESET,
    "gzip that breaks off": compressed(GZIPPED[:-9]),
    "gzip with a wrong checksum": compressed(
        gzip.compress(Random(1).randbytes(100_000))[:-8] + b"12345678"
    ),
    "damaged gzip": compressed(GZIPPED[:30] + b"xxxxxxxx" + GZIPPED[38:]),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_asked_for_again(broken: bytes | str) -> None:
    # aiohttp itself repeats a GET whose kept connection was closed, so POST shows our own retry.
    reading = ApiRequest("POST", "/", body={}, idempotent=True)
    with serve_raw(broken, OK) as server:
        assert (await send(server.url, reading)).content == b"{}"
        assert len(server.requests) == 2


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_to_a_post_leaves_its_outcome_unknown(broken: bytes | str) -> None:
    with serve_raw(broken) as server:
        with pytest.raises(ApiUnavailableError, match="carried out the POST is unknown"):
            await send(server.url, POST)
        assert len(server.requests) == 1


async def test_a_slow_answer_is_retried_and_then_given_up() -> None:
    with serve_raw(HANG) as server:
        with pytest.raises(ApiUnavailableError, match=r"not answer in time \(tried 2 times\)"):
            await send(server.url, timeout={"read": 0.05}, retry={"max_retries": 1})
        assert len(server.requests) == 2


async def test_a_slow_answer_to_a_post_leaves_its_outcome_unknown() -> None:
    with serve_raw(HANG) as server:
        with pytest.raises(ApiUnavailableError, match="carried out the POST is unknown"):
            await send(server.url, POST, timeout=0.05)
        assert len(server.requests) == 1


async def test_a_refused_connection_is_retried_even_for_a_post() -> None:
    slept = Slept()
    with pytest.raises(ApiUnavailableError, match=r"cannot be reached .*tried 3 times") as caught:
        await send(unused_url(), POST, sleep=slept, retry={"max_retries": 2})
    assert slept == [1.0, 2.0]
    assert "unknown" not in caught.value.message


async def test_a_post_that_waits_too_long_for_a_connection_was_not_sent() -> None:
    slept = Slept()
    limits, timeout = {"concurrency": 1}, {"pool": 0.05}
    with serve_raw(HANG) as server:
        async with client(
            server.url, limits=limits, timeout=timeout, sleep=slept, retry={"max_retries": 1}
        ) as opened:
            first = asyncio.create_task(opened.send(GET))
            await asyncio.sleep(0.02)
            with pytest.raises(ApiUnavailableError, match="cannot be reached in time") as caught:
                await opened.send(POST)
            first.cancel()
    assert slept == [1.0]
    assert "unknown" not in caught.value.message


async def test_an_unknown_host_is_named_as_such() -> None:
    with pytest.raises(ApiUnavailableError, match="host name is unknown"):
        await send("http://no-such-host.invalid", retry=NO_RETRY)


async def test_a_server_without_tls_is_not_retried() -> None:
    slept = Slept()
    with serve(lambda _: {}) as server, pytest.raises(ApiAnswerError, match="TLS"):
        await send(server.url.replace("http:", "https:"), sleep=slept)
    assert slept == []


async def test_an_answer_that_is_no_http_is_an_error() -> None:
    with (
        serve_raw(b"220 smtp.example.com ESMTP\r\n\r\n") as server,
        pytest.raises(ApiAnswerError, match="no HTTP"),
    ):
        await send(server.url)


# --- size


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 2000,
        compressed(gzip.compress(b"x" * 2000)),
        compressed(gzip.compress(b"x" * 100_000_000)),
        compressed(gzip.compress(b"x" * 600) + gzip.compress(b"x" * 600)),
    ],
    ids=["declared", "streamed", "gzip", "bomb", "members"],
)
async def test_an_answer_beyond_the_limit_is_refused(raw: bytes) -> None:
    with serve_raw(raw) as server:
        with pytest.raises(ApiAnswerError, match=r"larger than 1,024 bytes") as caught:
            await send(server.url, limits={"max_response_bytes": 1024})
        assert len(server.requests) == 1
    assert "(page 3)" in (caught.value.request or "")


@pytest.mark.parametrize(
    "raw",
    [
        compressed(gzip.compress(b"[1, 2]")),
        compressed(gzip.compress(b"[1,") + gzip.compress(b" 2]")),
        compressed(gzip.compress(b"[1, 2]") + b"\0\0\0"),
        compressed(zlib.compress(b"[1, 2]"), "deflate"),
        compressed(zlib.compress(b"[1, 2]")[2:-4], "deflate"),
        compressed(b"[1, 2]", "identity"),
    ],
    ids=["gzip", "members", "padding", "zlib", "raw deflate", "identity"],
)
async def test_compressed_answers_are_decoded(raw: bytes) -> None:
    with serve_raw(raw) as server:
        assert (await send(server.url)).content == b"[1, 2]"


async def test_an_empty_compressed_answer_is_empty() -> None:
    with serve_raw(compressed(b"")) as server:
        assert (await send(server.url)).content == b""


async def test_a_compression_that_was_not_asked_for_is_an_error() -> None:
    with (
        serve_raw(compressed(b"xx", "br")) as server,
        pytest.raises(ApiAnswerError, match="compressed its answer as 'br'"),
    ):
        await send(server.url)


# --- the connection


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
