"""The address on this machine that a provider leads the browser back to (RFC 8252, 7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from astrio.blocks.errors import ConfigurationError

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_DONE: Final = (
    "<!doctype html><title>astrio</title><body style='font: 16px sans-serif; margin: 4em'>"
    "<h1>Done</h1><p>astrio has the provider's answer. You can close this window.</p>"
)


@dataclass(slots=True)
class Callback:
    """A listening address; `answered` becomes the address that the browser was led to."""

    redirect_uri: str
    answered: asyncio.Future[str]


def is_here(redirect_uri: str) -> bool:
    """Whether the address is one that this machine can listen on."""
    return not redirect_uri or urlsplit(redirect_uri).hostname in _LOOPBACK


@asynccontextmanager
async def listening(redirect_uri: str) -> AsyncIterator[Callback]:
    """Listen until the block ends, on a free port of 127.0.0.1 if no address is given.

    Raises:
        ConfigurationError: the port is in use.
    """
    parts = urlsplit(redirect_uri or "http://127.0.0.1:0/callback")
    callback = Callback(redirect_uri, asyncio.get_running_loop().create_future())

    async def answer(request: web.Request) -> web.Response:
        if not callback.answered.done() and "state" in request.query:
            callback.answered.set_result(str(request.url))
        return web.Response(text=_DONE, content_type="text/html")

    app = web.Application()
    app.router.add_get(parts.path or "/", answer)
    runner = web.AppRunner(app, access_log=None)  # the code stands in the address
    await runner.setup()
    try:
        port = parts.port if parts.port is not None else 80
        try:
            await web.TCPSite(runner, parts.hostname, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"Nothing can listen on {parts.netloc}: {error.strerror}.",
                advice="Free that port, or give --paste.",
            ) from None
        if not redirect_uri:
            callback.redirect_uri = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        yield callback
    finally:
        await runner.cleanup()
