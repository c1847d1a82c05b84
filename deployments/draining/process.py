"""The drainer as a process beside the gateway: what it does never slows a request down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from astrio.deployments.companion import keep_running


async def keep_draining(
    folder: Path, stopping: asyncio.Event, tell: Callable[[str], object]
) -> None:
    """Keep a drainer running until `stopping` is set, and wait until it has ended.

    One that dies is started again; a batch that it left is claimed again when its lease lapses.

    Args:
        folder: with the integration files.
        stopping: ends it; a batch that is under way is finished first.
        tell: shows a line to the user.
    """
    await keep_running("astrio.deployments.draining", "drainer", folder, stopping, tell)
