"""`astrio deploy` in one step, on the server now in effect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import DeploymentResponse

from astrio.blocks.saved.saving import register_all
from astrio.deployments.delivering.registering import register
from astrio.deployments.deploying.applying import Applied, apply
from astrio.deployments.deploying.automation import WORKER_HEARTBEAT_SECONDS, watch_heartbeats
from astrio.deployments.deploying.building import Target
from astrio.deployments.deploying.collecting import Collected
from astrio.deployments.deploying.keeping_alive import keep_alive_deployment
from astrio.deployments.deploying.pruning import gone, prune


@dataclass(frozen=True, slots=True)
class Deployed:
    """What deploying did, or would do, and what is gone from the files."""

    applied: list[Applied]
    gone: list[DeploymentResponse]


async def deploy_places(
    places: Sequence[Path], collected: Collected, target: Target, *, delete: bool, dry_run: bool
) -> Deployed:
    """Deploy what was collected from these files and folders.

    Raises:
        ConfigurationError: there is no such work pool, or a name belongs to another file.
    """
    if not dry_run:
        await register_all()  # for whoever looks for the forms of connections in the UI
    async with get_client() as client:
        applied = await apply(client, collected.found, target, dry_run=dry_run)
        left = await gone(client, places, collected.found, collected.mistakes)
        if not dry_run:
            await asyncio.to_thread(register, collected, places)
            if delete:
                await prune(client, left)
            await keep_alive_deployment(client, target)
            if target.pool is not None:
                files = [each.found.file for each in applied]
                await watch_heartbeats(client, files, WORKER_HEARTBEAT_SECONDS)
    return Deployed(applied, left)
