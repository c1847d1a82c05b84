"""The ASGI app: size, address, rate, signature, age, then a durable row, then 202."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from astrio.blocks.webhooks.documents import Documents
from astrio.blocks.webhooks.own_paths import EVENTS, PAGES
from astrio.blocks.webhooks.schemes.base import Verdict
from astrio.deployments.gateway.addresses import Networks, sender
from astrio.deployments.gateway.answers import (
    ACCEPTED,
    DUPLICATE,
    FORBIDDEN,
    UNAUTHORIZED,
    WRONG_TYPE,
    Answer,
    Receive,
    RefusedError,
    Send,
    answer,
    try_later,
    wrong_method,
)
from astrio.deployments.gateway.bodies import Bodies
from astrio.deployments.gateway.committing import Committer, InboxUnavailableError
from astrio.deployments.gateway.counting import Counts
from astrio.deployments.gateway.delivery_ids import delivery_id
from astrio.deployments.gateway.emitting import Emission
from astrio.deployments.gateway.pages import Pages
from astrio.deployments.gateway.rates import Buckets
from astrio.deployments.gateway.routes import Route, Routes
from astrio.tasks.webhooks.inbox.event import Arrival

RETRY_SECONDS: Final = 5.0
"""What Retry-After says while the inbox cannot be written."""

Scope = Mapping[str, Any]
Log = Callable[[Mapping[str, Any]], object]


class Gateway:
    """Takes requests, and answers once their events are durable.

    Attributes:
        routes: may be replaced at any time: requests under way end with what they began with.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (the parts that it is made of)
        self,
        routes: Routes,
        committer: Committer,
        bodies: Bodies,
        counts: Counts,
        pages: Pages,
        documents: Documents,
        *,
        proxies: Networks,
        addresses: Buckets | None = None,
        log: Log | None = None,
        emission: Emission | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what it consists of; `log` gets one entry for each request, if given."""
        self.routes = routes
        self._committer = committer
        self._bodies = bodies
        self._counts = counts
        self._pages = pages
        self._documents = documents
        self._proxies = proxies
        self._addresses = addresses
        self._log = log
        self._emission = emission
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        method, path = scope["method"], scope["path"]
        if path in PAGES and method in {"GET", "HEAD"}:
            found = await self._pages.answer(path, scope)
        elif path == EVENTS and self._emission is not None:
            found = await self._emission.answer(scope, receive)
        elif method not in self.routes.methods:
            found = wrong_method(self.routes.methods)
        else:
            found = await self._take(self.routes.find(path, method), scope, receive)
        await send(found.start)
        await send(found.body)

    async def _take(self, route: Route, scope: Scope, receive: Receive) -> Answer:
        began = time.perf_counter()
        client = scope["client"]
        peer = client[0] if client else ""
        proxied = bool(self._proxies) and self._proxies.hold(peer)
        address = sender(peer, scope["headers"], self._proxies) if proxied else peer
        reason = ""
        try:
            self._admit(route, address)
            body = await self._bodies.read(scope["headers"], receive, route.most)
            now = self._clock()
            verdict = route.verify(scope, body, now, proxied)
            if verdict.wants is not None and route.name:
                received = route.received(scope, body, proxied)
                verdict = await self._documents.judge(route.scheme, received, route.secrets, now)
            found = await self._store(route, scope, body, verdict, now)
            if found is ACCEPTED or found is DUPLICATE:
                self._counts.accept(route.name, found is ACCEPTED, time.perf_counter() - began)
        except RefusedError as refused:
            found, reason = refused.answer, refused.reason if route.name else "unknown_source"
            self._counts.refuse(route.name, reason, address)
        if self._log is not None:
            self._log(_entry(route, address, found, reason, time.perf_counter() - began))
        return found

    def _admit(self, route: Route, address: str) -> None:
        """Refuse by address and rate, before anything is read."""
        if route.allowed and not route.allowed.hold(address):
            raise RefusedError("address", FORBIDDEN)
        now = time.monotonic()
        wait = self._addresses.take(address, now) if self._addresses is not None else 0.0
        if not wait and route.bucket is not None:
            wait = route.bucket.take(now)
        if wait:
            raise RefusedError("rate", try_later(429, wait))

    async def _store(
        self, route: Route, scope: Scope, body: bytes, verdict: Verdict, now: float
    ) -> Answer:
        if not verdict.accepted or not route.name:
            unknown = verdict.reason == "document" and route.name
            raise RefusedError(
                verdict.reason, try_later(503, RETRY_SECONDS) if unknown else UNAUTHORIZED
            )
        if verdict.reply is not None:
            reply = verdict.reply
            return answer(reply.status, reply.body, reply.content_type)
        headers = scope["headers"]
        if route.content_type and not _is_of(route.content_type, headers):
            raise RefusedError("content_type", WRONG_TYPE)
        id_ = delivery_id(route.delivery_id, headers, body) or verdict.delivery_id
        try:
            new = await self._committer.store(Arrival(route.name, id_, headers, body, now))
        except InboxUnavailableError:
            raise RefusedError("inbox", try_later(503, RETRY_SECONDS)) from None
        return ACCEPTED if new else DUPLICATE


def _is_of(content_type: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    given = next((value for name, value in headers if name == b"content-type"), b"")
    return given.partition(b";")[0].strip().lower() == content_type


def _entry(
    route: Route, address: str, found: Answer, reason: str, seconds: float
) -> dict[str, Any]:
    return {
        "source": route.name or None,
        "address": address,
        "status": found.status,
        "reason": reason or json.loads(found.body["body"]).get("status"),
        "ms": round(seconds * 1000, 2),
    }
