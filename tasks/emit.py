"""The task `emit`: put an event into the outbox from a flow."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.tasks import emitting
from astrio.tasks.webhooks.outbox.event import Emitted


@task(name="emit", task_run_name="emit {event}", cache_policy=NO_CACHE, persist_result=False)
async def emit(event: str, payload: Any, idempotency_key: str | None = None) -> Emitted:
    """Put an event into the outbox; it is durable on return.

    Within a transaction of your own, or outside of flows, call `astrio.tasks.emitting.emit`.

    Args:
        event: its name, such as `user.created`.
        payload: a JSON object or list, 256 KiB at most; it is kept encrypted, and Prefect does
            not store it.
        idempotency_key: what makes the event one and the same: emitted again, nothing is added.

    Raises:
        ConfigurationError: name, payload or key cannot be used.
        AstrioError: the ledger cannot be written.
    """
    return await asyncio.to_thread(emitting.emit, event, payload, idempotency_key)
