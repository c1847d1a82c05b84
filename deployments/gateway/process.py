"""The gateway as a process beside `astrio up`: runs under way never slow a request down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from astrio.deployments.companion import keep_running


async def keep_receiving(
    folder: Path, host: str, port: int, stopping: asyncio.Event, tell: Callable[[str], object]
) -> None:
    """Keep a gateway with its drainer running until `stopping` is set.

    Args:
        folder: with the integration files.
        host: address to listen on.
        port: port to listen on.
        stopping: ends it; requests under way are answered first.
        tell: shows a line to the user.
    """
    words = (host, str(port))
    await keep_running("astrio.deployments.gateway", "gateway", folder, stopping, tell, words)
