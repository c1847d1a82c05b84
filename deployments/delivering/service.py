"""A warm process that delivers: shift after shift, each a run of the flow `deliver`."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

import httpx
from prefect import tags
from prefect.exceptions import PrefectHTTPStatusError

from astrio.blocks.errors import AstrioError, LeaseHeldError, RetryableError
from astrio.deployments.running import TAG
from astrio.deployments.server import prefect_server
from astrio.flows.deliver import AtWork, at_work, deliver
from astrio.tasks.webhooks.outbox.deliverer import Deliverer
from astrio.tasks.webhooks.outbox.health import Notice

SHIFT_MINUTES: Final = 60.0
_ALONE_SECONDS: Final = 30.0
_REST_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.2


class DeliveringService:
    """Delivers until it is told to stop; while Prefect's server is down, without it.

    Flows run in a thread beside the main one, where Prefect would take SIGTERM for itself.
    """

    def __init__(self, tell: Callable[[str], None], parent: int | None = None) -> None:
        """Take what shows a line, and the process with which this one ends."""
        self._tell = tell
        self._parent = parent
        self._stopped = threading.Event()
        self._trouble = ""

    def run(self) -> None:
        """Deliver until SIGTERM or Ctrl-C; what is under way is finished first."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopped.set())
        worker = threading.Thread(target=self._serve, name="deliverer")
        worker.start()
        while worker.is_alive():
            worker.join(_LOOK_SECONDS)
            if self._parent is not None and os.getppid() != self._parent:
                self._stopped.set()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                with prefect_server(self._tell):
                    self._note("")
                    asyncio.run(self._work())
            except LeaseHeldError as error:
                self._note(f"deliveries: {error.message}")
                self._stopped.wait(_REST_SECONDS)
            except (RetryableError, httpx.HTTPError, PrefectHTTPStatusError):
                self._note("warning: the Prefect server does not answer; deliveries go on alone")
                self._deliver_alone()
            except AstrioError as error:
                self._note(f"warning: nothing is delivered: {error}")
                self._stopped.wait(_REST_SECONDS)

    async def _work(self) -> None:
        """Deliver until the end is asked for; shifts, and what becomes of them, do not matter.

        Raises:
            AstrioError: the ledger cannot be used, or another deliverer is at work on SQLite.
        """
        stopping, notices = asyncio.Event(), SimpleQueue[Notice]()
        deliverer = Deliverer(hear=notices.put)
        watching = asyncio.create_task(self._watch(stopping))
        working = asyncio.create_task(deliverer.run(stopping))
        ending = asyncio.Event()
        working.add_done_callback(lambda _: ending.set())
        at_work.set(AtWork(deliverer.tally, notices, ending))
        shifts = asyncio.create_task(self._shifts(ending))
        try:
            await working
        finally:
            stopping.set()
            ending.set()
            watching.cancel()
            await asyncio.gather(watching, shifts, return_exceptions=True)

    async def _shifts(self, ending: asyncio.Event) -> None:
        """Let one run of the flow follow the other."""
        while not ending.is_set():
            try:
                with tags(TAG):
                    await deliver(SHIFT_MINUTES)
            except Exception as error:  # noqa: BLE001 (deliveries go on, whatever Prefect says)
                self._note(f"warning: the run of deliveries was lost: {type(error).__name__}")
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), _REST_SECONDS)

    def _deliver_alone(self) -> None:
        """Deliver for a while without Prefect."""

        async def work() -> None:
            stopping = asyncio.Event()
            watching = asyncio.create_task(self._watch(stopping))
            timing = asyncio.get_running_loop().call_later(_ALONE_SECONDS, stopping.set)
            try:
                await Deliverer(hear=lambda notice: self._tell(notice.text)).run(stopping)
            finally:
                timing.cancel()
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

        try:
            asyncio.run(work())
        except AstrioError as error:
            self._note(f"warning: nothing is delivered: {error}")
            self._stopped.wait(_REST_SECONDS)

    async def _watch(self, stopping: asyncio.Event) -> None:
        while not self._stopped.is_set():  # noqa: ASYNC110 (it is set by a signal)
            await asyncio.sleep(_LOOK_SECONDS)
        stopping.set()

    def _note(self, trouble: str) -> None:
        """Tell each trouble once."""
        if trouble and trouble != self._trouble:
            self._tell(trouble)
        self._trouble = trouble
