"""What follows when a connection needs somebody's consent: an event, and paused schedules."""

from __future__ import annotations

import asyncio
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import deployment

from astrio.blocks.redaction import redact
from astrio.blocks.tokens import NeedsAuthorisationError

EVENT = "astrio.connection.needs-authorisation"


def tell_needs_authorisation(error: NeedsAuthorisationError, user: str) -> None:
    """Raise the event that somebody has to act; `user` is what wanted the connection."""
    account = error.account or user
    emit_event(
        event=EVENT,
        resource={
            "prefect.resource.id": f"astrio.connection.{account}",
            "prefect.resource.name": account,
        },
        payload={"integration": user, "reason": redact(error.message)},
    )


async def wait_for_authorisation(error: NeedsAuthorisationError, integration: str) -> None:
    """Tell Prefect, and pause this run's deployment until `connections authorize` resumes it."""
    tell_needs_authorisation(error, integration)
    id_ = deployment.id
    if not id_:
        return
    try:
        async with get_client() as client:
            await client.pause_deployment(UUID(str(id_)))
        if error.account:
            from astrio.tasks.tokens.store import TokenStore

            await asyncio.to_thread(TokenStore().note_paused, error.account, str(id_))
    except Exception as problem:  # noqa: BLE001 (the run has failed already, and says why)
        get_run_logger().warning(f"The deployment could not be paused: {redact(str(problem))}")
