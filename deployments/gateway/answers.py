"""What the gateway answers, made once: it says the same to everybody, and never why."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
JSON: Final = b"application/json"


class Answer(NamedTuple):
    """A status with its headers, and a body, as ASGI messages."""

    start: dict[str, Any]
    body: dict[str, Any]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.start["status"])


class RefusedError(Exception):
    """A request is refused; `reason` is for logs and metrics only."""

    def __init__(self, reason: str, answer: Answer) -> None:
        """Take the reason and the answer."""
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


def answer(
    status: int, body: bytes, content_type: bytes = JSON, *more: tuple[bytes, bytes]
) -> Answer:
    """Return an answer with a body, and further headers."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return Answer(start, {"type": "http.response.body", "body": body})


def _told(status: int, name: str, text: str, *more: tuple[bytes, bytes]) -> Answer:
    return answer(status, json.dumps({name: text}).encode(), JSON, *more)


_CLOSE: Final = (b"connection", b"close")
ACCEPTED: Final = _told(202, "status", "accepted")
DUPLICATE: Final = _told(202, "status", "duplicate")
MALFORMED: Final = _told(400, "error", "bad request", _CLOSE)
UNAUTHORIZED: Final = _told(401, "error", "unauthorized")
FORBIDDEN: Final = _told(403, "error", "forbidden")
NOT_FOUND: Final = _told(404, "error", "not found")
TOO_SLOW: Final = _told(408, "error", "request timeout", _CLOSE)
TOO_LARGE: Final = _told(413, "error", "content too large", _CLOSE)
WRONG_TYPE: Final = _told(415, "error", "unsupported media type")


def wrong_method(methods: frozenset[str]) -> Answer:
    """Return the answer to a method that no source takes."""
    allow = ", ".join(sorted(methods)).encode()
    return _told(405, "error", "method not allowed", (b"allow", allow))


def try_later(status: int, seconds: float) -> Answer:
    """Return 429 or 503, with the whole seconds after which to try again."""
    text = "too many requests" if status == 429 else "unavailable"
    wait = str(max(math.ceil(seconds), 1)).encode()
    return _told(status, "error", text, (b"retry-after", wait))
