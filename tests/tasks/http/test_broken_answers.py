from __future__ import annotations

import asyncio
import gzip
from random import Random

import pytest
from tests.support.reading import NO_RETRY, Slept, client, send
from tests.support.server import (
    HANG,
    RESET,
    compressed,
    serve,
    serve_raw,
    unused_url,
)

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
GZIPPED = gzip.compress(b"[1]" * 1000)


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
