"""The deliverer as a process beside `astrio up`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from astrio.deployments.companion import keep_running


async def keep_delivering(
    folder: Path, stopping: asyncio.Event, tell: Callable[[str], object]
) -> None:
    """Keep a deliverer running until `stopping` is set, and wait until it has ended.

    One that dies is started again; what it held is delivered by the next.

    Args:
        folder: with the integration files.
        stopping: ends it; deliveries that are under way are finished first.
        tell: shows a line to the user.
    """
    await keep_running("astrio.deployments.delivering", "deliverer", folder, stopping, tell)
