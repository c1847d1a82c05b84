"""The flow `deliver`: a shift of the deliverer, with its count and its success rates."""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.events import emit_event
from prefect.logging import get_run_logger

from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.webhooks.outbox.deliverer import Deliverer, Tally
from astrio.tasks.webhooks.outbox.health import Notice
from astrio.tasks.webhooks.outbox.stats import Fare, outbox

redact_logs()
DEAD: Final = "astrio.delivery.dead"
_EVENTS: Final = {
    "dead": DEAD,
    "warning": "astrio.target.failing",
    "disabled": "astrio.target.disabled",
}
_MOST_IDS: Final = 100
_UPDATE_SECONDS: Final = 5.0
ending: ContextVar[asyncio.Event | None] = ContextVar("ending", default=None)
"""Ends a shift before its time, if it is set."""


@flow(name="deliver", flow_run_name="deliveries", persist_result=False, validate_parameters=True)
async def deliver(minutes: float = 15.0) -> dict[str, int]:
    """Deliver the outbox for a while: one run for many deliveries, however many they are.

    Args:
        minutes: how long the shift lasts; deliveries under way at its end are finished.

    Returns:
        How many deliveries arrived, how many attempts failed, how many were given up.

    Raises:
        AstrioError: the ledger cannot be used, or another deliverer is at work on SQLite.
    """
    stopping = ending.get() or asyncio.Event()
    shift_over = asyncio.Event()
    log = get_run_logger()

    def hear(notice: Notice) -> None:
        log.warning(redact(notice.text))
        tell_prefect(notice)

    deliverer = Deliverer(hear=hear)
    timing = asyncio.create_task(_time(minutes * 60, stopping, shift_over))
    showing = asyncio.create_task(_show(deliverer.tally))
    try:
        tally = await deliverer.run(shift_over)
    finally:
        for task in (timing, showing):
            task.cancel()
        await asyncio.gather(timing, showing, return_exceptions=True)
    log.info(f"{tally.delivered} delivered, {tally.failed} failed attempts, {tally.dead} given up")
    return {"delivered": tally.delivered, "failed": tally.failed, "dead": tally.dead}


def tell_prefect(notice: Notice) -> None:
    """Raise the event of a notice: ids, never a payload."""
    emit_event(
        event=_EVENTS[notice.kind],
        resource={
            "prefect.resource.id": f"astrio.target.{notice.target}",
            "prefect.resource.name": notice.target,
        },
        payload={
            "target": notice.target,
            "text": redact(notice.text),
            "count": len(notice.deliveries),
            "deliveries": list(notice.deliveries[:_MOST_IDS]),
        },
    )


async def _time(seconds: float, stopping: asyncio.Event, shift_over: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        pass
    finally:
        shift_over.set()


async def _show(tally: Tally) -> None:
    """Keep the table of success rates up to date, while something happens."""
    artifact: UUID | None = None
    shown = ""
    while True:
        await asyncio.sleep(_UPDATE_SECONDS)
        if str(tally) == shown:
            continue
        shown = str(tally)
        try:
            artifact = await _shown(await asyncio.to_thread(success_table), artifact)
        except Exception as error:  # noqa: BLE001 (deliveries go on, whatever Prefect's API says)
            get_run_logger().warning(f"The table could not be kept: {redact(str(error))}")


async def _shown(rows: list[dict[str, Any]], artifact: UUID | None) -> UUID | None:
    import json

    if artifact is None:
        made = await acreate_table_artifact(rows, key="deliveries", description="Deliveries")
        return made if isinstance(made, UUID) else None
    async with get_client() as client:
        await client.update_artifact(artifact, ArtifactUpdate(data=json.dumps(rows)))
    return artifact


def success_table() -> list[dict[str, Any]]:
    """Return the rows of the artifact: each target and event, and how its deliveries fare."""
    try:
        found = outbox(time.time())
    except AstrioError:
        return []
    return [_row(fare) for fare in (found.fares if found else ())]


def _row(fare: Fare) -> dict[str, Any]:
    rate = fare.success_rate
    oldest = datetime.fromtimestamp(fare.oldest, UTC).isoformat() if fare.oldest else ""
    return {
        "target": fare.target,
        "event": fare.event,
        "delivered": fare.delivered,
        "waiting": fare.waiting,
        "oldest waiting": oldest,
        "dead letters": fare.dead,
        "success (1 h)": "" if rate is None else f"{rate:.1%}",
        "attempts (1 h)": fare.attempts,
        "p50 ms": fare.p50_ms,
        "p99 ms": fare.p99_ms,
    }
