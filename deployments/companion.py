"""A process beside this one: kept running, and ended with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

RESTART_SECONDS: Final = 5.0
PATIENCE: Final = 60.0


async def keep_running(  # noqa: PLR0913, PLR0917 (what a process is started with)
    module: str,
    name: str,
    folder: Path,
    stopping: asyncio.Event,
    tell: Callable[[str], object],
    words: Sequence[str] = (),
) -> None:
    """Keep `python -m MODULE FOLDER PARENT WORDS…` running until `stopping` is set; end it then.

    One that dies is started again.

    Args:
        module: it ends by itself on SIGTERM, and when the process PARENT has ended.
        name: what people call it.
        folder: with the integration files.
        stopping: ends it; what is under way is finished first.
        tell: shows a line to the user.
        words: further arguments.
    """
    while not stopping.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, str(folder), str(os.getpid()), *words),
            stdin=asyncio.subprocess.DEVNULL,
        )
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            await asyncio.shield(_end(process, ended))
        if not stopping.is_set():
            tell(f"warning: the {name} has ended ({process.returncode}); it is started again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), RESTART_SECONDS)


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    if not ended.done():
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), PATIENCE)
    if not ended.done():
        process.kill()
    await ended
