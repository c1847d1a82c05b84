"""A warm process that drains the inbox: Prefect is imported once, for all events to come."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from astrio.blocks.errors import AstrioError, ServerUnavailableError
from astrio.deployments.draining.carrying import carry
from astrio.deployments.draining.drainer import Drainer
from astrio.deployments.draining.events import received
from astrio.deployments.draining.sources import FolderSources
from astrio.deployments.remembering import remember_run
from astrio.deployments.server import prefect_server
from astrio.flows.integration import Integration

_LONGEST_WAIT: Final = 15.0
_LOOK_SECONDS: Final = 1.0
_SIGNAL_SECONDS: Final = 0.1


class DrainingService:
    """Drains one folder's events by the server rule, and waits while the server is down.

    Flows run in a thread beside the main one, where Prefect would take SIGTERM for itself.
    """

    def __init__(
        self, folder: Path, tell: Callable[[str], None], parent: int | None = None
    ) -> None:
        """Take the folder, what shows a line, and the process with which this one ends."""
        self._folder = folder
        self._tell = tell
        self._parent = parent
        self._stopped = threading.Event()
        self._trouble = ""

    def run(self) -> None:
        """Drain until SIGTERM or Ctrl-C; batches that are under way are finished first."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopped.set())
        worker = threading.Thread(target=self._serve, name="drainer")
        worker.start()
        while worker.is_alive():
            worker.join(_LOOK_SECONDS)
            if self._parent is not None and os.getppid() != self._parent:
                self._stopped.set()

    def _serve(self) -> None:
        wait = 1.0
        while not self._stopped.is_set():
            try:
                with prefect_server(self._tell):
                    self._note("")
                    asyncio.run(self._drain())
                wait = 1.0
            except AstrioError as error:
                self._note(f"warning: events wait in the inbox: {error}")
                self._stopped.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _drain(self) -> None:
        """Drain until the end is asked for, or the server is lost.

        Raises:
            AstrioError: the inbox cannot be read.
        """
        stopping = asyncio.Event()
        # The gateway beside it reads the same files, and tells what is wrong with them.
        sources = FolderSources(self._folder, lambda _: None)

        async def carried(integration: Integration, events: Sequence[str]) -> None:
            try:
                report = await carry(integration, events)
            except ServerUnavailableError:
                stopping.set()
                raise
            if file := sources.file_of(integration):
                await asyncio.to_thread(remember_run, file, integration, report)

        drainer = Drainer(sources, carried, arrived=received, tell=self._tell)
        watching = asyncio.create_task(self._watch(stopping))
        try:
            await drainer.run(stopping)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, stopping: asyncio.Event) -> None:
        while not self._stopped.is_set():  # noqa: ASYNC110 (it is set by a signal)
            await asyncio.sleep(_SIGNAL_SECONDS)
        stopping.set()

    def _note(self, trouble: str) -> None:
        """Tell each trouble once, and that it is over."""
        if trouble != self._trouble:
            self._tell(trouble or "The Prefect server answers again: the inbox is drained.")
        self._trouble = trouble
