"""Reading a request's body: counted while it streams, within a time, never unpacked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from astrio.deployments.gateway.answers import (
    MALFORMED,
    TOO_LARGE,
    TOO_SLOW,
    WRONG_TYPE,
    Receive,
    RefusedError,
    try_later,
)

Headers = Sequence[tuple[bytes, bytes]]
_READ_ON: Final = 16 * 1024 * 1024
"""Bytes of a body that is too large which are still taken, and dropped: many clients read no
answer before they have sent everything."""


class Bodies:
    """Reads bodies; one that is late or too large costs neither memory nor a waiting task.

    granian hands a request over once its head is complete. It has refused by then what is no
    HTTP/1.1, and of Content-Length beside Transfer-Encoding it has dropped the former and will
    close the connection (RFC 9112, 6.3).
    """

    def __init__(self, seconds: float, memory: int) -> None:
        """Take how long a body may take, and how many bytes all unfinished ones may have."""
        self._seconds = seconds
        self._memory = memory
        self._held = 0
        self._reading: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()

    async def read(self, headers: Headers, receive: Receive, most: int) -> bytes:
        """Return the body.

        Args:
            headers: the request's.
            receive: the rest of the request.
            most: bytes that it may have.

        Raises:
            RefusedError: it is malformed, packed, too large or too late.
        """
        length, expects = _declared(headers)
        task = asyncio.current_task()
        assert task is not None
        self._reading[task] = asyncio.get_running_loop().time() + self._seconds
        try:
            if length > most:
                await self._drop(receive, 0 if expects else _READ_ON)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError("disconnected", MALFORMED)
            body: bytes = message["body"]
            if len(body) == length or not message["more_body"]:
                # Nothing is left to drop: whoever waited for more would wait in vain.
                return body if len(body) <= most else await self._drop(receive, 0)
            return await self._rest(body, receive, length, most)
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            self._late.discard(task)
            raise RefusedError("late", TOO_SLOW) from None
        finally:
            del self._reading[task]

    def end_late(self, now: float) -> None:
        """End the reading of bodies whose time is over; called every now and then."""
        for task, until in list(self._reading.items()):
            if until < now and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._late &= self._reading.keys()

    async def _rest(self, first: bytes, receive: Receive, length: int, most: int) -> bytes:
        parts, size = [first], len(first)
        held = 0
        try:
            while size != length:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError("disconnected", MALFORMED)
                part: bytes = message["body"]
                size += len(part)
                if size > most:
                    parts.clear()
                    await self._drop(receive, _READ_ON if message["more_body"] else 0)
                parts.append(part)
                self._held += size - held
                held = size
                if self._held > self._memory:
                    raise RefusedError("memory", try_later(503, 1))
                if not message["more_body"]:
                    break
            return b"".join(parts)
        finally:
            self._held -= held

    async def _drop(self, receive: Receive, most: int) -> bytes:
        while most > 0:
            message = await receive()
            if message["type"] == "http.disconnect" or not message["more_body"]:
                break
            most -= len(message["body"])
        raise RefusedError("too_large", TOO_LARGE)


def _declared(headers: Headers) -> tuple[int, bool]:
    """Return the length of the body (-1: it is told by chunks), and whether 100 is waited for.

    Raises:
        RefusedError: the head contradicts itself, or the body is packed.
    """
    length, chunked, hosts, expects = -1, False, 0, False
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() else -2
        elif name == b"host":
            hosts += 1
        elif name == b"transfer-encoding":
            chunked = True
            if value.lower() != b"chunked":
                length = -2
        elif name == b"content-encoding" and value.lower() not in {b"", b"identity"}:
            raise RefusedError("packed", WRONG_TYPE)
        elif name == b"expect":
            expects = True
    if length == -2 or hosts > 1 or (chunked and length >= 0):
        raise RefusedError("malformed", MALFORMED)
    return length, expects
