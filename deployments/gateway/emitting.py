"""`POST /events`: an application without Python emits events, with a token."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any, Final

import msgspec

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.redaction import redact, remember
from astrio.deployments.gateway.answers import (
    UNAUTHORIZED,
    Answer,
    Receive,
    RefusedError,
    answer,
    try_later,
    wrong_method,
)
from astrio.deployments.gateway.bodies import Bodies
from astrio.tasks.emitting import emit
from astrio.tasks.webhooks.outbox.event import LARGEST

VARIABLE: Final = "ASTRIO_EVENTS_TOKEN"
_SHORTEST: Final = 16
_MOST: Final = LARGEST + 4096
_POST: Final = frozenset({"POST"})


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    event: str
    payload: Any
    idempotency_key: str | None = None
    order_key: str | None = None
    target: str | None = None


class Emission:
    """Takes events from whoever knows one of the tokens."""

    def __init__(self, tokens: Sequence[str], bodies: Bodies) -> None:
        """Take the tokens, and what reads bodies."""
        self._expected = [f"Bearer {token}".encode() for token in tokens]
        self._bodies = bodies

    async def answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        """Answer one request: 202 once its event is durable."""
        if scope["method"] not in _POST:
            return wrong_method(_POST)
        try:
            body = await self._bodies.read(scope["headers"], receive, _MOST)
            if not self._knows(scope["headers"]):
                return UNAUTHORIZED
            return await _emitted(body)
        except RefusedError as refused:
            return refused.answer
        except (msgspec.MsgspecError, ValueError, RecursionError, ConfigurationError) as error:
            return answer(400, msgspec.json.encode({"error": redact(str(error))}))
        except AstrioError:
            return try_later(503, 5)

    def _knows(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        given = [value for name, value in headers if name == b"authorization"]
        if len(given) != 1:
            return False
        # Each is compared, so that the time tells nothing.
        return sum(compare_digest(given[0], expected) for expected in self._expected) > 0


async def _emitted(body: bytes) -> Answer:
    request = msgspec.json.decode(body, type=_Request)
    emitted = await asyncio.to_thread(
        emit,
        request.event,
        request.payload,
        request.idempotency_key,
        target=request.target,
        order_key=request.order_key,
    )
    return answer(202, msgspec.json.encode({"id": emitted.id, "new": emitted.new}))


def emission(bodies: Bodies) -> Emission | None:
    """Return what takes events by the tokens of ASTRIO_EVENTS_TOKEN, None if there are none.

    Raises:
        ConfigurationError: a token is too short to be one.
    """
    tokens = [each.strip() for each in os.environ.get(VARIABLE, "").split(",") if each.strip()]
    for token in tokens:
        remember(token)
        if len(token) < _SHORTEST or not token.isascii():
            raise ConfigurationError(
                f"{VARIABLE} holds no usable token.",
                advice=f"Give {_SHORTEST} characters or more; several are separated by commas: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            )
    return Emission(tokens, bodies) if tokens else None
