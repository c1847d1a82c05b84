"""Reading an answer's body: decoded as it streams in, never beyond its limit."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx

from astrio.blocks.errors import ApiAnswerError

ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15


class BrokenBodyError(Exception):
    """The body ended early; a repetition may bring all of it."""


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Return the decoded body of at most `limit` bytes.

    Raises:
        ApiAnswerError: it is larger, or compressed in a way that was not asked for.
        BrokenBodyError: it is cut off or damaged.
    """
    if int(response.headers.get("content-length") or 0) > limit:
        raise _too_large(limit)
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return await _inflate(stream, limit)
    if encoding not in ("", "identity"):
        raise ApiAnswerError(
            f"The API compressed its answer as {encoding[:40]!r}, though only {ACCEPTED} was asked "
            "for."
        )
    return await _collect(stream, limit)


async def _collect(stream: AsyncIterator[bytes] | httpx.AsyncByteStream, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def _inflate(stream: httpx.AsyncByteStream, limit: int) -> bytes:
    inflater = _Inflater(limit)
    try:
        async for chunk in stream:
            inflater.feed(chunk)
    except zlib.error as error:
        raise BrokenBodyError("the compressed answer is damaged") from error
    return inflater.finish()


class _Inflater:
    """Decompresses gzip (RFC 1952, of several members too), zlib or raw deflate, to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        while data:
            if self._decoder.eof:
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._keep(self._decompressed(data))
            data = self._decoder.unused_data

    def _decompressed(self, data: bytes) -> bytes:
        room = self._limit - self._size + 1
        try:
            return self._decoder.decompress(data, room)
        except zlib.error:
            if self._size:
                raise
            # Some servers send `deflate` without the zlib wrapper that RFC 9110 asks for.
            self._decoder = zlib.decompressobj(_RAW_DEFLATE)
            return self._decoder.decompress(data, room)

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            raise _too_large(self._limit)
        self._chunks.append(chunk)

    def finish(self) -> bytes:
        if self._chunks and not self._decoder.eof:
            raise BrokenBodyError("the compressed answer breaks off")
        return b"".join(self._chunks)


def _too_large(limit: int) -> ApiAnswerError:
    return ApiAnswerError(
        f"The answer is larger than {limit:,} bytes.",
        advice="Ask for smaller pages (size, limit), or raise limits.max_response_bytes.",
    )
