"""What an integration's deployment shall look like on the Prefect server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from prefect.client.schemas.schedules import (
    SCHEDULE_TYPES,
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
)

from astrio.deployments.deploying.collecting import Found
from astrio.deployments.running import TAG
from astrio.flows.integration import Integration
from astrio.flows.schedule import Schedule, Times
from astrio.flows.sync import sync
from astrio.tasks.durations import parse_duration

ENTRYPOINT = "astrio.flows.sync.sync"
FLOW = "sync"
FILE = "astrio.file"
SLUG = "astrio"
PAUSED_SLUG = "astrio-paused"
HEALING_SLUG = "astrio-heal"
HEALING_PAUSED_SLUG = "astrio-heal-paused"
"""Slugs of the schedules that come from the file, by whether the file says `active`."""

_OPTIONS = {"wait": True}
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """Where runs take place: in processes that serve (no pool), or with a pool's workers."""

    pool: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A deployment as it shall be.

    Attributes:
        name: the integration's, and so the deployment's.
        file: where it comes from, absolute.
        fields: what Prefect's API takes, without schedules.
        schedules: what Prefect's API takes; empty, one, or one that heals beside it.
    """

    name: str
    file: Path
    fields: dict[str, Any]
    schedules: list[dict[str, Any]]


def wanted(found: Found, target: Target) -> Wanted:
    """Return the deployment of an integration."""
    integration = found.integration
    dumped = integration.model_dump(mode="json", by_alias=True)
    fields = {
        "version": fingerprint(integration),
        "description": _description(found),
        "tags": [*dict.fromkeys([*integration.tags, TAG])],
        # A run on top of another one waits for the lease instead of failing.
        "parameters": {"integration": dumped, "options": _OPTIONS},
        "parameter_openapi_schema": _form(),
        "enforce_parameter_schema": True,
        "entrypoint": ENTRYPOINT,
        "path": None,
        "pull_steps": None,
        "concurrency_limit": 1,
        "concurrency_options": {"collision_strategy": "ENQUEUE"},
        "work_pool_name": target.pool,
        "work_queue_name": target.queue,
    }
    schedule = integration.schedule
    schedules = [] if schedule is None else _schedules(schedule)
    return Wanted(integration.name, found.file, fields, schedules)


def fingerprint(integration: Integration) -> str:
    """Return what tells one version of an integration from another."""
    text = json.dumps(integration.model_dump(mode="json", by_alias=True), sort_keys=True)
    return sha256(text.encode()).hexdigest()[:12]


def prefect_schedule(schedule: Times) -> SCHEDULE_TYPES:
    """Return Prefect's form of a schedule.

    Intervals count from a fixed moment unless the file names one, so that deploying again
    shifts nothing.
    """
    if schedule.cron is not None:
        return CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    if schedule.rrule is not None:
        return RRuleSchedule(rrule=_anchored(schedule.rrule), timezone=schedule.timezone)
    assert schedule.every is not None
    start = schedule.start or _EPOCH
    return IntervalSchedule(
        interval=parse_duration(schedule.every),
        anchor_date=start if start.tzinfo else start.replace(tzinfo=UTC),
        timezone=schedule.timezone,
    )


def _anchored(rule: str) -> str:
    """Return the rule with the moment from which Prefect's server counts if it names none."""
    return rule if "DTSTART" in rule.upper() else f"DTSTART:{_EPOCH:%Y%m%dT%H%M%S}\n{rule}"


def _schedules(schedule: Schedule) -> list[dict[str, Any]]:
    active = schedule.active
    usual = _schedule(schedule, SLUG if active else PAUSED_SLUG, active=active)
    if schedule.healing is None:
        return [usual]
    slug = HEALING_SLUG if active else HEALING_PAUSED_SLUG
    healing = _schedule(schedule.healing, slug, active=active)
    healing["parameters"] = {"options": {**_OPTIONS, "full_refresh": True}}
    return [usual, healing]


def _schedule(schedule: Times, slug: str, *, active: bool) -> dict[str, Any]:
    return {
        "schedule": prefect_schedule(schedule).model_dump(mode="json"),
        "active": active,
        "slug": slug,
        "parameters": {},
    }


def _description(found: Found) -> str:
    origin = f"From `{found.file.name}`, deployed by astrio."
    return "\n\n".join(filter(None, [found.integration.description.strip(), origin]))


def _form() -> dict[str, Any]:
    """Return the schema of the UI's run form: the few options first, the integration below."""
    schema = sync.parameters.model_copy(deep=True)
    for position, name in enumerate(("options", "integration")):
        schema.properties[name]["position"] = position
    form: dict[str, Any] = json.loads(json.dumps(schema.model_dump_for_openapi()))
    return form
