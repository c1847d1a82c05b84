"""Deployments whose integration is gone from its file, or whose file is gone."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from astrio.deployments.deploying.applying import deployments_of_files
from astrio.deployments.deploying.collecting import Found
from astrio.flows.carriers import FLOW as PARTS


async def gone(
    client: PrefectClient,
    places: Collection[Path],
    found: Collection[Found],
    unread: Collection[Path] = (),
) -> list[DeploymentResponse]:
    """Return what astrio deployed from these places and what is no longer there.

    Args:
        client: of the server.
        places: files, and folders whose own files and those in `integrations/` count.
        found: what is there now.
        unread: files that have mistakes, so that nobody can tell what they hold.
    """
    whole = {place.resolve() for place in places}
    there = {(each.file, each.integration.name) for each in found}
    kept = {file.resolve() for file in unread}
    return [
        deployment
        for file, deployment in await deployments_of_files(client)
        if (file, deployment.name) not in there
        and file not in kept
        and not whole.isdisjoint(_places_of(file))
    ]


def _places_of(file: Path) -> list[Path]:
    above = [file.parent.parent] if file.parent.name == "integrations" else []
    return [file, file.parent, *above]


async def prune(client: PrefectClient, deployments: Collection[DeploymentResponse]) -> None:
    """Delete these deployments; their runs stay in the history, their data where it is.

    The one whose runs are the parts of an integration goes with it.
    """
    for deployment in deployments:
        await client.delete_deployment(deployment.id)
        with suppress(ObjectNotFound):
            parts = await client.read_deployment_by_name(f"{PARTS}/{deployment.name}")
            await client.delete_deployment(parts.id)
