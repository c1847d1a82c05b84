"""A real HTTP server in front of a Prefect server, which is too busy for some requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp import web
from tests.support.server import answer, serve

_HOP = {"host", "connection", "content-length", "content-encoding", "transfer-encoding"}


@contextmanager
def busy_server(api: str, is_refused: Callable[[str, bytes], bool]) -> Iterator[dict[str, str]]:
    """Serve the Prefect API at `api`; yield the variables of a process that uses it.

    Prefect's client is to try each request once.

    Args:
        api: the real API, e.g. `http://127.0.0.1:4200/api`.
        is_refused: takes a request's method and path (`POST /api/task_runs/`) and its body; a
            request for which it is true is answered with 503.
    """
    root = api.removesuffix("/api")

    async def forward(request: web.Request) -> Any:
        body = await request.read()
        if is_refused(f"{request.method} {request.path}", body):
            return answer({"exception_message": "Service Unavailable"}, 503)
        headers = {name: v for name, v in request.headers.items() if name.lower() not in _HOP}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, root + request.raw_path, data=body, headers=headers
            ) as reply,
        ):
            kept = {name: v for name, v in reply.headers.items() if name.lower() not in _HOP}
            return web.Response(body=await reply.read(), status=reply.status, headers=kept)

    with serve(forward) as server:
        yield {"PREFECT_API_URL": f"{server.url}/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
