"""The flow `emit-event`: lets a Prefect automation emit, so that any Prefect event can."""

from __future__ import annotations

from typing import Any

from prefect import flow

from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.emit import emit

redact_logs()


@flow(
    name="emit-event",
    flow_run_name="emit {event}",
    persist_result=False,
    validate_parameters=True,
)
async def emit_event(
    event: str, payload: dict[str, Any], idempotency_key: str | None = None
) -> str:
    """Put an event into the outbox.

    Prefect keeps the parameters of a run in clear: let an automation pass ids, not personal data.

    Args:
        event: its name, such as `sync.failed`.
        payload: in an automation `{{ event.payload }}`, or an object of such placeholders.
        idempotency_key: what makes the event one and the same, such as `{{ event.id }}`.

    Returns:
        The event's id.

    Raises:
        AstrioError: the ledger cannot be written, or what is given cannot be used.
    """
    return (await emit(event, payload, idempotency_key)).id
