"""The deployment that keeps saved connections' refresh tokens alive."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient

from astrio.deployments.deploying.building import Target
from astrio.deployments.running import TAG
from astrio.flows.keep_alive import saved_grants

NAME: Final = "keep-alive"
FLOW: Final = "keep-alive"
ENTRYPOINT: Final = "astrio.flows.keep_alive.keep_alive"
_EVERY: Final = timedelta(hours=12)


async def keep_alive_deployment(client: PrefectClient, target: Target) -> UUID | None:
    """Make or renew the deployment, if something that is saved may lapse unused; else None.

    Raises:
        AstrioError: what is saved cannot be read.
    """
    if not await asyncio.to_thread(lambda: any(True for _ in saved_grants())):
        return None
    flow = await client.create_flow_from_name(FLOW)
    body = {
        "name": NAME,
        "flow_id": str(flow),
        "entrypoint": ENTRYPOINT,
        "description": "Uses refresh tokens before their providers drop them for want of use.",
        "tags": [TAG],
        "concurrency_limit": 1,
        "schedules": [
            {
                "schedule": {"interval": _EVERY.total_seconds()},
                "active": True,
                "slug": NAME,
            }
        ],
    }
    pool = {"work_pool_name": target.pool, "work_queue_name": target.queue}
    body |= {name: value for name, value in pool.items() if value is not None}
    answer = await client.request("POST", "/deployments/", json=body)
    return UUID(answer.json()["id"])
