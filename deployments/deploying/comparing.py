"""How a deployment on the server differs from what it shall be."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse

from astrio.deployments.deploying.building import (
    FILE,
    HEALING_PAUSED_SLUG,
    HEALING_SLUG,
    PAUSED_SLUG,
    SLUG,
    Wanted,
)

_WORDS = {
    "parameters": "integration",
    "parameter_openapi_schema": "run form",
    "enforce_parameter_schema": "run form",
    "concurrency_limit": "concurrency",
    "concurrency_options": "concurrency",
    "work_pool_name": "work pool",
    "work_queue_name": "work queue",
    "pull_steps": "entrypoint",
    "path": "entrypoint",
}


def differences(existing: DeploymentResponse, wanted: Wanted) -> list[str]:
    """Return in words what has to change; empty: nothing."""
    now = _fields(existing)
    if wanted.fields["work_queue_name"] is None:
        now["work_queue_name"] = None  # any queue will do
    changed = [name for name, value in wanted.fields.items() if now[name] != value]
    words = [_WORDS.get(name, name) for name in changed if name != "version"]
    if existing.labels.get(FILE) != str(wanted.file):
        words.append("file")
    if schedule_changed(existing, wanted):
        words.append("schedule")
    return list(dict.fromkeys(words))


def schedule_changed(existing: DeploymentResponse, wanted: Wanted) -> bool:
    """Whether the file's schedule is another than when it was deployed.

    Someone's pause in the UI is no change: the slug tells what the file said.
    """
    ours = [_schedule(each) for each in existing.schedules if is_ours(each)]
    return _in_order(ours) != _in_order([{**each, "active": None} for each in wanted.schedules])


def _in_order(schedules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(schedules, key=lambda each: str(each["slug"]))


def schedules_after(existing: DeploymentResponse, wanted: Wanted) -> list[dict[str, Any]]:
    """Return all schedules as they shall be: the file's, and those that people added."""
    kept = [
        each
        for each in existing.schedules
        if not is_ours(each) or not schedule_changed(existing, wanted)
    ]
    fresh = wanted.schedules if schedule_changed(existing, wanted) else []
    return [*(_whole(each) for each in kept), *fresh]


def is_ours(schedule: DeploymentSchedule) -> bool:
    """Whether a schedule comes from a file."""
    return schedule.slug in (SLUG, PAUSED_SLUG, HEALING_SLUG, HEALING_PAUSED_SLUG)


def _schedule(schedule: DeploymentSchedule) -> dict[str, Any]:
    return {
        "schedule": schedule.schedule.model_dump(mode="json"),
        "active": None,
        "slug": schedule.slug,
        "parameters": schedule.parameters,
    }


def _whole(schedule: DeploymentSchedule) -> dict[str, Any]:
    return {
        **_schedule(schedule),
        "active": schedule.active,
    }


def _fields(existing: DeploymentResponse) -> dict[str, Any]:
    limit, options = existing.global_concurrency_limit, existing.concurrency_options
    return {
        **existing.model_dump(mode="json"),
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": options and options.model_dump(mode="json", exclude_none=True),
    }
