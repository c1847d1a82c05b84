"""What the gateway does beside answering: late bodies, news for the log, old events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from astrio.blocks.errors import AstrioError
from astrio.deployments.gateway.bodies import Bodies
from astrio.deployments.gateway.counting import Counts
from astrio.deployments.gateway.routes import Route
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.checkpointing import Checkpointer
from astrio.tasks.webhooks.inbox.looking import Which
from astrio.tasks.webhooks.inbox.tending import purge

NEWS_SECONDS: Final = 10.0
CHECKPOINT_SECONDS: Final = 0.1
PURGE_SECONDS: Final = 1800.0

Tell = Callable[[str], object]


async def end_late_bodies(bodies: Bodies, every: float) -> None:
    """End the reading of bodies that are late, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        bodies.end_late(loop.time())


async def keep_checkpointing(counts: Counts, ledger: Ledger) -> None:
    """Move what was written from SQLite's log into its file, until cancelled."""
    checkpointer, seen = Checkpointer(ledger), 0
    try:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            if (now := counts.accepted.total()) != seen:
                seen = now
                await asyncio.to_thread(checkpointer.checkpoint)
    finally:
        checkpointer.close()


async def tell_news(counts: Counts, tell: Tell, every: float = NEWS_SECONDS) -> None:
    """Tell what was refused, a line for each source and reason, until cancelled."""
    while True:
        await asyncio.sleep(every)
        for line in counts.news():
            tell(line)


async def purge_old(
    routes: Callable[[], Iterable[Route]], tell: Tell, every: float = PURGE_SECONDS
) -> None:
    """Purge events that are done or dead and older than their source keeps them."""
    while True:
        await asyncio.sleep(every)
        try:
            for route in list(routes()):
                await asyncio.to_thread(purge_route, route, time.time())
        except AstrioError as error:
            tell(f"warning: old events could not be purged: {error}")


def purge_route(route: Route, now: float) -> int:
    """Purge what is older than a source keeps it; return how many."""
    which = Which(source=route.name, until=now - route.keep_seconds)
    return purge(which, Ledger(), lambda: now, window=route.keep_seconds)
