"""Serving a small ASGI app on loopback from a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"


def serve(app: App, port: int = 0) -> None:
    """Serve `app` until SIGTERM, Ctrl-C or the end of the parent process.

    The URL is the first line on standard output, printed once requests are answered. Port 0
    takes a free one.

    Raises:
        SystemExit: the port is taken.
    """
    try:
        chosen = _free_port(port)
    except OSError as error:
        raise SystemExit(f"Port {port} cannot be used: {error.strerror}.") from None
    asyncio.run(_serve(app, chosen))


def _free_port(port: int) -> int:
    # granian binds with SO_REUSEPORT: it would share a taken port without a word, and it does
    # not tell which one it got for port 0.
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


async def _serve(app: App, port: int) -> None:
    server = Server(
        app,
        address=HOST,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    stop: Callable[[], None] = server.stop
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: loop.call_soon_threadsafe(stop))
    serving = asyncio.create_task(server.serve())
    watching = asyncio.create_task(_stop_with_parent(stop, os.getppid()))
    await _answering(port)
    print(f"http://{HOST}:{port}", flush=True)
    await serving
    watching.cancel()
    # granian's threads still end here; a Python that is gone by then makes them panic.
    await asyncio.sleep(0.2)


async def _stop_with_parent(stop: Callable[[], None], parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 (nothing announces a parent's end)
        await asyncio.sleep(0.5)
    stop()


async def _answering(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
