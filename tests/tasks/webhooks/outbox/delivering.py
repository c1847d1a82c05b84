"""An outbox with targets on loopback, and a deliverer that works until something is true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import text

from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox.deliverer import Deliverer
from astrio.tasks.webhooks.outbox.health import Notice
from astrio.tasks.webhooks.outbox.trigger import Trigger
from astrio.tasks.webhooks.outbox.triggers import Registration, register_triggers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {"delays": [0, 0.01, 0.01], "jitter": 0}


def target(url: str, **settings: Any) -> WebhookTarget:
    """Return a target on loopback that is tried three times, quickly."""
    usual = {
        "secret": "${env:HOOK_SECRET}",
        "retry": QUICK,
        "allow_private_hosts": [urlsplit(url).netloc],
    }
    return WebhookTarget.model_validate({"url": url, **usual, **settings})


def subscribe(targets: dict[str, WebhookTarget], on: str = "*", **trigger: Any) -> None:
    """Let events go to targets, by one trigger."""
    made = Trigger(name="all", on=(on,), targets=tuple(targets), **trigger)
    register_triggers([Registration(made, targets)], 0.0)


def rows(sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query to the ledger."""
    with Ledger().reading() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def states() -> list[str]:
    """Return the state of each delivery, in order."""
    return [row[0] for row in rows("SELECT state FROM _astrio_delivery ORDER BY number")]


def settled() -> bool:
    """Whether every event is routed, and every delivery has ended."""
    new = rows("SELECT count(*) FROM _astrio_outbox WHERE state = 'new'")[0][0]
    return not new and not {"waiting", "pending", "claimed"} & set(states())


def deliver(
    until: Callable[[], bool] = settled, seconds: float = 20, **settings: Any
) -> list[Notice]:
    """Run a deliverer until something is true; return what it told."""
    heard: list[Notice] = []

    async def run() -> None:
        stopping = asyncio.Event()
        deliverer = Deliverer(hear=heard.append, **settings)
        work = asyncio.create_task(deliverer.run(stopping))
        try:
            async with asyncio.timeout(seconds):
                while not work.done() and not await asyncio.to_thread(until):  # noqa: ASYNC110 (the ledger sets no event)
                    await asyncio.sleep(0.02)
        finally:
            stopping.set()
            with suppress(asyncio.CancelledError):
                await work

    asyncio.run(run())
    return heard


def bodies(requests: Sequence[Any]) -> list[Any]:
    """Return the JSON bodies of requests."""
    return [each.json() for each in requests]
