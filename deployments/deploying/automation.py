"""The automation that marks a run as crashed when its process has died without a word.

Prefect's own pattern (docs.prefect.io/v3/advanced/detect-zombie-flows), for these deployments
only: other runs on the server may send their heartbeats less often.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from astrio.deployments.deploying.applying import deployments_of_files

HEARTBEAT_SECONDS = 30
"""How often runs that `astrio up` serves send a heartbeat; the least that Prefect allows."""

WORKER_HEARTBEAT_SECONDS = 180
"""How often a worker's runs do, unless someone sets PREFECT_FLOWS_HEARTBEAT_FREQUENCY."""

_MISSED = 4


async def watch_heartbeats(client: PrefectClient, files: Iterable[Path], heartbeat: int) -> None:
    """Create the automation of each folder that holds these files, or update it if it differs.

    Args:
        client: of the server.
        files: integration files, absolute; they may be gone.
        heartbeat: the seconds between the heartbeats of their runs.
    """
    made = await deployments_of_files(client)
    for folder in {folder_of(file) for file in files}:
        deployments = [each.id for file, each in made if folder_of(file) == folder]
        await _watch(client, folder, deployments, heartbeat)


def folder_of(file: Path) -> Path:
    """Return the folder that someone deploys to deploy this file."""
    return file.parent.parent if file.parent.name == "integrations" else file.parent


async def _watch(
    client: PrefectClient, folder: Path, deployments: Collection[UUID], heartbeat: int
) -> None:
    name = f"astrio: runs of {folder} whose process died"
    existing = await client.read_automations_by_name(name)
    if not deployments:
        for each in existing:
            await client.delete_automation(each.id)
        return
    automation = _automation(name, deployments, timedelta(seconds=_MISSED * heartbeat))
    if not existing:
        await client.create_automation(automation)
    elif existing[0].model_copy(update={"id": None}) != automation:
        await client.update_automation(existing[0].id, automation)


def _automation(name: str, deployments: Collection[UUID], within: timedelta) -> AutomationCore:
    minutes = f"{within.total_seconds() / 60:g} minutes"
    crash: list[ActionTypes] = [
        ChangeFlowRunState(
            name="Crashed",
            state=StateType.CRASHED,
            force=False,
            message=f"No heartbeat for {minutes}: the run's process has died. "
            "The next run goes on from its last chunk.",
        )
    ]
    return AutomationCore(
        name=name,
        description="Made by astrio, and kept up to date by it.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={
                "prefect.resource.role": "deployment",
                "prefect.resource.id": sorted(f"prefect.deployment.{each}" for each in deployments),
            },
            after={"prefect.flow-run.heartbeat"},
            # Every change of state counts: states may have names of their own.
            expect={"prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            within=within,
        ),
        actions=crash,
    )
