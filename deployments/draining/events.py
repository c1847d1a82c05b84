"""The Prefect event that users' own automations can start from: ids, never the payload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from prefect.events import emit_event

from astrio.tasks.webhooks.inbox.event import Event

RECEIVED: Final = "astrio.webhook.received"


def received(event: Event) -> None:
    """Tell Prefect that an event was received; it is a nudge only, the inbox holds the event."""
    emit_event(
        event=RECEIVED,
        occurred=datetime.fromtimestamp(event.received_at, UTC),
        resource={
            "prefect.resource.id": f"astrio.webhook.{event.source}",
            "prefect.resource.name": event.source,
        },
        payload={
            "id": event.id,
            "source": event.source,
            "delivery_id": event.delivery_id,
            "received_at": datetime.fromtimestamp(event.received_at, UTC).isoformat(),
        },
    )
