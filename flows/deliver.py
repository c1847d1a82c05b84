"""The flow `deliver`: a shift of the deliverer, with its count and its success rates."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from queue import SimpleQueue
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
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class AtWork:
    """A deliverer that works on in this process, shift after shift.

    Attributes:
        tally: what it has done since it began.
        notices: what people should hear of.
        ending: set to end a shift before its time.
    """

    tally: Tally
    notices: SimpleQueue[Notice]
    ending: asyncio.Event


at_work: ContextVar[AtWork | None] = ContextVar("at_work", default=None)
"""The deliverer that a shift is to look after, instead of one of its own."""


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
    found = at_work.get()
    ended = await (_watched(found, minutes * 60) if found else _own(minutes * 60))
    counts = asdict(ended)
    get_run_logger().info(
        "{delivered} delivered, {failed} failed, {dead} given up".format(**counts)
    )
    return counts


async def _own(seconds: float) -> Tally:
    """Deliver for so long."""
    shift_over = asyncio.Event()
    deliverer = Deliverer(hear=_hear)
    timing = asyncio.get_running_loop().call_later(seconds, shift_over.set)
    showing = asyncio.create_task(_show(deliverer.tally))
    try:
        return await deliverer.run(shift_over)
    finally:
        timing.cancel()
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _watched(work: AtWork, seconds: float) -> Tally:
    """Tell for so long what a deliverer does that works on."""
    before = replace(work.tally)
    showing = asyncio.create_task(_show(work.tally))
    ends = time.monotonic() + seconds
    try:
        while time.monotonic() < ends and not work.ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(work.ending.wait(), _LOOK_SECONDS)
            _hear_all(work.notices)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
    after = work.tally
    return Tally(
        after.delivered - before.delivered, after.failed - before.failed, after.dead - before.dead
    )


def _hear_all(notices: SimpleQueue[Notice]) -> None:
    while not notices.empty():
        _hear(notices.get())


def _hear(notice: Notice) -> None:
    get_run_logger().warning(redact(notice.text))
    tell_prefect(notice)


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
