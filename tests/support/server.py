"""Real HTTP servers on loopback for tests, each a few lines; no mocks of our own code.

A handler takes aiohttp's `web.Request` and returns JSON values (a dict or list), text or bytes,
`answer(...)` for a status or headers, or any aiohttp response. It may be async::

    def orders(request: web.Request) -> Any:
        page = int(request.query.get("page", "1"))
        return {"orders": [{"id": page}], "next": page + 1 if page < 3 else None}

    with serve({"/orders": orders}) as server:
        ...                       # ask server.url + "/orders"
        assert server.requests[0].query == {"page": ["1"]}

`serve(handler)` gives every path to one handler. `replies(a, b, c)` makes a handler that answers
a, then b, then c for ever. `paged(records, size=...)` is a whole API of numbered pages.

`serve_raw(b"HTTP/1.1 200 OK\\r\\n...", RESET, HANG)` answers the first connection with those bytes
and closes it, resets the second, leaves the third (and all later ones) waiting. `unused_url()` is
an address that refuses connections.

Servers run in one background event loop, on free ports of 127.0.0.1, and stop with the block.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, repeat
from typing import Any, Final

from aiohttp import web

Handler = Callable[[web.Request], Any]
RESET: Final = "reset"
HANG: Final = "hang"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; `target` is the raw path with its query."""

    method: str
    path: str
    target: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


@dataclass
class Server:
    """A running server; `requests` grows as they arrive."""

    url: str
    requests: list[Seen] = field(default_factory=list)


def answer(
    body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Make a response: bytes and text as they are (text as text/html), all else as JSON."""
    if isinstance(body, bytes):
        return web.Response(body=body, status=status, headers=headers)
    if isinstance(body, str):
        return web.Response(text=body, status=status, headers=headers, content_type="text/html")
    return web.json_response(body, status=status, headers=headers)


def compressed(body: bytes, encoding: str = "gzip") -> bytes:
    """Return the bytes of a whole answer, for `serve_raw`, with a Content-Encoding."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def replies(*bodies: Any) -> Handler:
    """Make a handler that gives one answer after the other, and the last one for ever."""
    following = chain(bodies, repeat(bodies[-1]))

    def reply(_: web.Request) -> Any:
        body = next(following)
        # A response object can be sent once only.
        return answer(body.body, body.status, body.headers) if _is_response(body) else body

    return reply


def paged(records: Sequence[Any], size: int) -> Handler:
    """Make an API of numbered pages: `?page=1` gives `{"items": [...], "total": n}`."""

    def page(request: web.Request) -> Any:
        start = (int(request.query.get("page", "1")) - 1) * size
        return {"items": records[start : start + size], "total": len(records)}

    return page


@contextmanager
def serve(
    routes: Handler | Mapping[str, Handler], tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Run a server until the block ends; an unknown path answers 404."""
    server = Server("")

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", _dispatcher(routes, server))
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        server.url = "http{}://{}:{}".format("s" * bool(tls), *runner.addresses[0][:2])
        return runner

    runner = _call(start())
    try:
        yield server
    finally:
        _call(runner.cleanup())


@contextmanager
def serve_raw(*answers: bytes | str) -> Iterator[Server]:
    """Run a server that speaks bytes: each connection gets one answer and is closed."""
    server = Server("")
    following = chain(answers, repeat(answers[-1]))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            server.requests.append(await _read_request(reader))
            await _reply(next(following), writer)

    listener = _call(asyncio.start_server(talk, "127.0.0.1", 0))
    server.url = "http://{}:{}".format(*listener.sockets[0].getsockname())
    try:
        yield server
    finally:
        _loop().call_soon_threadsafe(listener.close)


def unused_url() -> str:
    """Return the URL of a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _dispatcher(
    routes: Handler | Mapping[str, Handler], server: Server
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def dispatch(request: web.Request) -> web.StreamResponse:
        server.requests.append(await _seen(request))
        handler = routes.get(request.path) if isinstance(routes, Mapping) else routes
        if handler is None:
            return answer({"error": "not found"}, 404)
        result = handler(request)
        if inspect.isawaitable(result):
            result = await result
        return result if isinstance(result, web.StreamResponse) else answer(result)

    return dispatch


async def _seen(request: web.Request) -> Seen:
    query = {name: request.query.getall(name) for name in request.query}
    body = await request.read()
    return Seen(request.method, request.path, request.raw_path, query, request.headers.copy(), body)


async def _read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, target.partition("?")[0], target, {}, headers, body)


async def _reply(what: bytes | str, writer: asyncio.StreamWriter) -> None:
    if what == HANG:
        await asyncio.sleep(3600)
    if what == RESET:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return
    assert isinstance(what, bytes)
    writer.write(what)
    await writer.drain()
    writer.close()


def _is_response(value: Any) -> bool:
    return isinstance(value, web.Response)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="test-servers", daemon=True).start()
    return loop


def _call(work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(timeout=30)
