from __future__ import annotations

import gzip
import zlib

import pytest
from tests.support.reading import send
from tests.support.server import (
    compressed,
    serve_raw,
)

from astrio.blocks.errors import (
    ApiAnswerError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


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
