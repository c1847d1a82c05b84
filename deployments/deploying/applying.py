"""Making the Prefect server hold what the files say, and touching nothing that holds it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterName,
)
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.deploying.building import FILE, FLOW, Target, Wanted, wanted
from astrio.deployments.deploying.collecting import Found
from astrio.deployments.deploying.comparing import differences, schedules_after
from astrio.deployments.running import TAG
from astrio.flows.reading.read import read_integration

Action = Literal["created", "updated", "unchanged"]
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one integration's deployment.

    Attributes:
        id: None after a dry run that would have created it.
        changed: in words, what differed.
    """

    found: Found
    action: Action
    changed: list[str]
    id: UUID | None


async def apply(
    client: PrefectClient, found: Sequence[Found], target: Target, *, dry_run: bool = False
) -> list[Applied]:
    """Create and update deployments, so that they are as the files say.

    Raises:
        ConfigurationError: there is no such work pool, or a name belongs to another file.
    """
    if target.pool is not None:
        await _require_pool(client, target.pool)
    existing = await read_existing(client, [each.integration.name for each in found])
    for each in found:
        _refuse_another_files(each, existing.get(each.integration.name))
    return [
        await _apply(client, each, target, existing.get(each.integration.name), dry_run=dry_run)
        for each in found
    ]


async def read_existing(
    client: PrefectClient, names: Sequence[str]
) -> dict[str, DeploymentResponse]:
    """Return the deployments of astrio's flow that have these names."""
    found: dict[str, DeploymentResponse] = {}
    for name in names:
        try:
            found[name] = await client.read_deployment_by_name(f"{FLOW}/{name}")
        except ObjectNotFound:
            continue
    return found


async def deployments_of_files(client: PrefectClient) -> list[tuple[Path, DeploymentResponse]]:
    """Return every deployment that astrio made, with the file that it was made from."""
    made: list[DeploymentResponse] = []
    while page := await client.read_deployments(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
        deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])),
        limit=_PAGE,
        offset=len(made),
    ):
        made += page
    return [(Path(str(each.labels[FILE])), each) for each in made if FILE in each.labels]


async def _require_pool(client: PrefectClient, name: str) -> None:
    try:
        await client.read_work_pool(name)
    except ObjectNotFound:
        raise ConfigurationError(
            f"There is no work pool {name}.",
            advice=f"Create it: prefect work-pool create {name} --type process",
        ) from None


def _refuse_another_files(found: Found, existing: DeploymentResponse | None) -> None:
    """Two files of one name would overwrite each other at each deploying."""
    owner = str(existing.labels.get(FILE, "")) if existing else ""
    if owner and Path(owner) != found.file and _still_holds(Path(owner), found.integration.name):
        raise ConfigurationError(
            f"The deployment {FLOW}/{found.integration.name} belongs to {owner}, "
            f"not to {found.file}.",
            advice="Give one of the two another `name`.",
        )


def _still_holds(file: Path, name: str) -> bool:
    try:
        return read_integration(file).integration.name == name
    except ConfigurationError:
        return False


async def _apply(
    client: PrefectClient,
    found: Found,
    target: Target,
    existing: DeploymentResponse | None,
    *,
    dry_run: bool,
) -> Applied:
    plan = wanted(found, target)
    if existing is None:
        created = None if dry_run else await _put(client, plan, plan.schedules)
        return Applied(found, "created", [], created)
    changed = differences(existing, plan)
    if changed and not dry_run:
        leaves = existing.work_pool_name is not None and target.pool is None
        await _put(client, plan, schedules_after(existing, plan), leaves_pool=leaves)
    return Applied(found, "updated" if changed else "unchanged", changed, existing.id)


async def _put(
    client: PrefectClient,
    plan: Wanted,
    schedules: list[dict[str, Any]],
    *,
    leaves_pool: bool = False,
) -> UUID:
    """Create the deployment, or update the one of that name; whether it is paused stays.

    The form of a run is large. A server that is told at once to hold runs to it first judges the
    form itself, twice, which takes it seconds; told afterwards, it judges the parameters alone.
    """
    flow = await client.create_flow_from_name(FLOW)
    fields = {name: value for name, value in plan.fields.items() if not _left_out(name, value)}
    later = {"enforce_parameter_schema": fields["enforce_parameter_schema"]}
    if leaves_pool:
        later |= {"work_pool_name": None, "work_queue_name": None}
    body = {
        **fields,
        "enforce_parameter_schema": False,
        "name": plan.name,
        "flow_id": str(flow),
        "labels": {FILE: str(plan.file)},
        "schedules": schedules,
    }
    answer = await client.request("POST", "/deployments/", json=body)
    made = UUID(answer.json()["id"])
    path = {"id": made}
    await client.request("PATCH", "/deployments/{id}", path_params=path, json=later)
    return made


def _left_out(name: str, value: Any) -> bool:
    return value is None and name in ("work_pool_name", "work_queue_name")
