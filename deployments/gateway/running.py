"""A gateway process from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from astrio.deployments.draining.process import keep_draining
from astrio.deployments.gateway.serving import GatewayServer
from astrio.deployments.gateway.settings import GatewaySettings
from astrio.deployments.gateway.telling import Telling

_LOOK_SECONDS = 0.5


def run_gateway(
    folder: Path,
    settings: GatewaySettings,
    tell: Callable[[str], object],
    *,
    drain: bool,
    parent: int | None = None,
) -> int:
    """Serve until SIGTERM, Ctrl-C or the end of the process `parent`; SIGHUP reads all anew.

    Returns:
        The signal that has ended it.

    Raises:
        ConfigurationError: a mistake in a file, or a secret that cannot be resolved.
        AstrioError: the inbox cannot be opened.
    """
    telling = Telling(tell)
    server = GatewayServer(folder, settings, telling)

    def listening(url: str) -> None:
        telling.begin(f"listening on {url}", server.summary())

    drained = folder if drain else None
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_serve(server, listening, tell, drained, parent))


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's loop, which takes a quarter off a request's time; it knows no Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(
    server: GatewayServer,
    listening: Callable[[str], object],
    tell: Callable[[str], object],
    drained: Path | None,
    parent: int | None,
) -> int:
    stopping, reload, ends = asyncio.Event(), asyncio.Event(), list[int]()

    def stop(number: int) -> None:
        ends.append(number)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    beside = [asyncio.create_task(_stop_with(parent, stop))]

    def begin(url: str) -> None:
        listening(url)
        if drained is not None:
            beside.append(asyncio.create_task(keep_draining(drained, stopping, tell)))

    try:
        await server.run(stopping, reload, begin)
    finally:
        stopping.set()
        beside[0].cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    tell("Stopped: every accepted event is in the inbox.")
    return ends[0]


async def _stop_with(parent: int | None, stop: Callable[[int], None]) -> None:
    while parent is not None and os.getppid() == parent:  # noqa: ASYNC110 (nothing announces it)
        await asyncio.sleep(_LOOK_SECONDS)
    if parent is not None:
        stop(signal.SIGTERM)
