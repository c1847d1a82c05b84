"""Reading an answer's body: decoded as it streams in, never beyond its limit."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import httpx

from astrio.blocks.errors import ApiAnswerError

ACCEPTED = "gzip, deflate"
LARGEST_IN_MEMORY = 4 * 1024 * 1024
Keep = Callable[[bytes], Any]
_STEP = 1024 * 1024
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
    chunks: list[bytes] = []
    await _receive(response, limit, chunks.append)
    return b"".join(chunks)


async def spool_body(response: httpx.Response, limit: int) -> tuple[bytes, BinaryIO | None]:
    """Return the decoded body as bytes if it is small, else as a temporary file.

    Raises as `read_body`.
    """
    file = tempfile.SpooledTemporaryFile(max_size=LARGEST_IN_MEMORY)  # noqa: SIM115 (handed on open)
    try:
        await _receive(response, limit, file.write)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    if size <= LARGEST_IN_MEMORY:
        with file:
            return file.read(), None
    return b"", cast("BinaryIO", file)


async def _receive(response: httpx.Response, limit: int, keep: Keep) -> None:
    if int(response.headers.get("content-length") or 0) > limit:
        raise _too_large(limit)
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        await _inflate(stream, limit, keep)
        return
    if encoding not in ("", "identity"):
        raise ApiAnswerError(
            f"The API compressed its answer as {encoding[:40]!r}, though only {ACCEPTED} was asked "
            "for."
        )
    await _collect(stream, limit, keep)


async def _collect(stream: httpx.AsyncByteStream, limit: int, keep: Keep) -> None:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        keep(chunk)


async def _inflate(stream: httpx.AsyncByteStream, limit: int, keep: Keep) -> None:
    inflater = _Inflater(limit, keep)
    try:
        async for chunk in stream:
            inflater.feed(chunk)
    except zlib.error as error:
        raise BrokenBodyError("the compressed answer is damaged") from error
    inflater.finish()


class _Inflater:
    """Decompresses gzip (RFC 1952, of several members too), zlib or raw deflate, to a limit."""

    def __init__(self, limit: int, keep: Keep) -> None:
        self._limit = limit
        self._pass_on = keep
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._size = 0

    def feed(self, data: bytes) -> None:
        while data:
            if self._decoder.eof:
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
            chunk = self._decompressed(data)
            self._keep(chunk)
            while len(chunk) == _STEP:  # more may wait inside the decoder
                chunk = self._decoder.decompress(self._decoder.unconsumed_tail, _STEP)
                self._keep(chunk)
            data = self._decoder.unused_data

    def _decompressed(self, data: bytes) -> bytes:
        try:
            return self._decoder.decompress(data, _STEP)
        except zlib.error:
            if self._size:
                raise
            # Some servers send `deflate` without the zlib wrapper that RFC 9110 asks for.
            self._decoder = zlib.decompressobj(_RAW_DEFLATE)
            return self._decoder.decompress(data, _STEP)

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            raise _too_large(self._limit)
        self._pass_on(chunk)

    def finish(self) -> None:
        if self._size and not self._decoder.eof:
            raise BrokenBodyError("the compressed answer breaks off")


def _too_large(limit: int) -> ApiAnswerError:
    return ApiAnswerError(
        f"The answer is larger than {limit:,} bytes.",
        advice="Ask for smaller pages (size, limit), or raise limits.max_response_bytes "
        "(limits.max_download_bytes for jsonl, csv, tsv and xml given in response.format).",
    )
