"""A strict API on loopback that records are pushed to: it keeps what it has accepted, by rules.

Each request takes effect once: one that carries an `Idempotency-Key` that was seen before gets the
first answer again, and one whose key comes with another body is refused, as strict vendors do.

    api = StrictApi()
    with serve(api) as server:
        ...
    assert api.effects == [{"id": 1}]

`faults` are asked in turn before a request is carried out: a handler of the request and its JSON
that returns an answer in the place of the API's own, or None. `after` is the same once it was
carried out, so that a client does not see what it has brought about.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.support.server import answer

Fault = Callable[[web.Request, Any], Any]


@dataclass
class StrictApi:
    """What a strict API has accepted.

    Attributes:
        effects: every record, in the order it was carried out.
        by_key: the answer to each idempotency key.
        sent: method, path and JSON of every request that arrived.
        misused: keys that came with another body than before.
        most: most records of a request; more are answered by 413.
        tries: for the faults of a test: how often each key was seen.
    """

    effects: list[Any] = field(default_factory=list)
    by_key: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    misused: list[str] = field(default_factory=list)
    most: int = 1_000_000
    refuses: Callable[[Any], str | None] = lambda _: None
    before: Fault = lambda _request, _body: None
    after: Fault = lambda _request, _body: None
    tries: dict[str, int] = field(default_factory=dict)
    _meeting: tuple[asyncio.Barrier, threading.Event, int] | None = None

    def meeting(self, number: int) -> threading.Event:
        """Hold the first requests until so many have come; the event tells that they have."""
        met = threading.Event()
        self._meeting = (asyncio.Barrier(number), met, number)
        return met

    async def __call__(self, request: web.Request) -> Any:
        """Answer a request."""
        content = await request.read()
        body = json.loads(content) if content else None
        self.sent.append((request.method, request.path, body))
        if self._meeting is not None and len(self.sent) <= self._meeting[2]:
            await self._meeting[0].wait()
            self._meeting[1].set()
        if (told := await _told(self.before(request, body))) is not None:
            return told
        key = request.headers.get("Idempotency-Key")
        if key in self.by_key:
            known, reply = self.by_key[key]
            if known != body:
                self.misused.append(key)
                return answer({"message": "this key came with another body"}, 409)
        else:
            reply = self._carry_out(request, body)
            if key is not None and reply[1] < 400:
                self.by_key[key] = (body, reply)
        if (told := await _told(self.after(request, body))) is not None:
            return told
        told, status = reply
        return answer(told, status)

    def _carry_out(self, request: web.Request, body: Any) -> tuple[Any, int]:
        if request.method == "GET":
            asked = request.query.items()
            found = [
                each
                for each in self.effects
                if all(str(each.get(name)) == value for name, value in asked)
            ]
            return {"results": found}, 200
        items = body if isinstance(body, list) else [body]
        if len(items) > self.most:
            return {"message": "too many"}, 413
        for item in items:
            if words := self.refuses(item):
                return {"message": words}, 422
        self.effects += items
        return {"id": f"made-{len(self.effects)}"}, 201


async def _told(value: Any) -> Any:
    return await value if asyncio.iscoroutine(value) else value


async def hang(*_: Any) -> Any:
    """Never answer."""
    await asyncio.sleep(3600)
