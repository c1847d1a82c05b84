"""The demo's act of webhooks out: a receiver that fails twice, one that is dead, and a replay."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from astrio.blocks.errors import FatalError, LeaseHeldError
from astrio.blocks.webhooks.schemes.base import Received
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.deployments.cli.output import show
from astrio.deployments.delivering.registering import register
from astrio.deployments.demo.notifying import new_secret
from astrio.deployments.deploying.collecting import collect
from astrio.tasks.emitting import emit
from astrio.tasks.webhooks.outbox.deliverer import Deliverer
from astrio.tasks.webhooks.outbox.letters import Letter, listed, replay, shown
from astrio.tasks.webhooks.outbox.letters import Which as Deliveries
from astrio.tasks.webhooks.outbox.queue import State
from astrio.tasks.webhooks.outbox.triggers import forget_triggers

SECRET: Final = "DEMO_RECEIVER_SECRET"  # noqa: S105 (the name of a variable)
NAME: Final = "demo-orders"
EVENT: Final = "demo.order.created"
_PATIENCE: Final = 60.0
_FILE: Final = """\
# Sends the event to two receivers; tried four times, a little later each time.
name: demo-orders
on: demo.order.created
payload: {{orderId: "{{{{order.id}}}}", total: "{{{{order.total}}}}", at: "{{{{timestamp}}}}"}}
push:
  to:
    - {{webhook: "http://{flaky}/orders", secret: "${{env:DEMO_RECEIVER_SECRET}}",
       allow_private_hosts: ["{flaky}"]}}
    - {{webhook: "http://{dead}/orders", secret: "${{env:DEMO_RECEIVER_SECRET}}",
       allow_private_hosts: ["{dead}"]}}
retry: {{maxRetries: 3, retryDelay: 200, backoffMultiplier: 2}}
"""


class Receiver:
    """A receiver on loopback: it fails so often, then takes what is genuine.

    Attributes:
        answers: how each request was answered.
        place: its host and port.
    """

    def __init__(self, failures: int, place: str = "127.0.0.1:0") -> None:
        """Listen; `place` may name the port."""
        self.answers: list[int] = []
        self._failures = failures
        host, port = place.split(":")
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Answer one delivery."""
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.send_response(receiver.judge(body, self.headers.items()))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer((host, int(port)), Handler)
        self.place = f"{host}:{self._server.server_address[1]}"

    def judge(self, body: bytes, headers: Any) -> int:
        """Return the status for a delivery."""
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        received = Received("POST", f"http://{self.place}/orders", raw, body)
        genuine = StandardWebhooks().verify(received, [os.environ[SECRET]], time.time()).accepted
        failing = len(self.answers) < self._failures
        self.answers.append(503 if failing else 204 if genuine else 401)
        return self.answers[-1]

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer until the block ends."""
        thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self.close()

    def close(self) -> None:
        """Listen no more."""
        self._server.server_close()


def deliveries(folder: Path) -> None:
    """Emit an event, deliver it as far as it goes, and replay its dead letter.

    Raises:
        FatalError: it did not go as foreseen.
    """
    os.environ[SECRET] = new_secret()
    flaky, second = Receiver(failures=2), Receiver(failures=0)
    dead = second.place
    second.close()  # nobody listens there any more
    file = folder / f"{NAME}.yaml"
    file.write_text(_FILE.format(flaky=flaky.place, dead=dead), "utf-8")
    register(collect([file]), [file])
    try:
        with flaky.listening():
            _deliver_both(flaky, dead)
    finally:
        forget_triggers([NAME])


def _deliver_both(flaky: Receiver, dead: str) -> None:
    event = emit(EVENT, {"order": {"id": 5001, "total": 99.5}})
    letters = _delivered(event.id, {State.DELIVERED, State.DEAD})
    show(f"  the first receiver answered {', '.join(map(str, flaky.answers))}: delivered")
    [letter] = [each for each in letters if each.state is State.DEAD]
    tries = shown(letter.id)[0].history
    show(f"  the second is dead: a dead letter after {len(tries)} attempts ({tries[-1].error})")
    mended = Receiver(failures=0, place=dead)
    with mended.listening():
        replay(Deliveries([letter.id]))
        _delivered(event.id, {State.DELIVERED})
    show(f"  mended, and the letter replayed: answered {mended.answers[-1]}, signed anew, same id")


def _delivered(event: str, wanted: set[State]) -> list[Letter]:
    """Deliver until both deliveries of the event are in one of these states."""
    which = Deliveries([event])

    def settled() -> bool:
        letters = listed(which)
        return len(letters) == 2 and {each.state for each in letters} <= wanted

    async def run() -> None:
        stopping = asyncio.Event()
        work = asyncio.create_task(Deliverer().run(stopping))
        ends = time.monotonic() + _PATIENCE
        while not await asyncio.to_thread(settled) and time.monotonic() < ends:  # noqa: ASYNC110 (the ledger sets no event)
            await asyncio.sleep(0.05)
        stopping.set()
        with suppress(LeaseHeldError):  # then the deliverer of an `astrio up` has done it
            await work

    asyncio.run(run())
    if not settled():
        raise FatalError(
            "The demo's event was not delivered as foreseen.",
            advice="See what became of it: astrio deliveries list",
        )
    return listed(which)
