"""How runs are called in the Prefect UI, so that its list of runs can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run

from astrio.flows.parting import part_name
from astrio.tasks.options import BackfillOptions, PartOptions, RunOptions


def run_name() -> str:
    """Return the name of the flow run that is about to begin."""
    return described(flow_run.get_parameters())


def replay_name() -> str:
    """Return the name of the replay that is about to begin."""
    return f"{described(flow_run.get_parameters())} (replay)"


def part_run_name() -> str:
    """Return the name of the run of a part that is about to begin."""
    given = flow_run.get_parameters()
    options = PartOptions.model_validate(given.get("options") or {})
    return described_part(integration_name(given), options)


def described_part(name: str, options: PartOptions) -> str:
    """Return the integration's name, which part of it a run reads, and how."""
    if not options.backfill:
        return " ".join([name, part_name(options), *_differences(options)])
    columns = [f"columns {', '.join(options.columns)}"] if options.columns else []
    return " ".join([name, part_name(options), *columns, "(backfill)"])


def backfill_name() -> str:
    """Return the name of the backfill that is about to begin."""
    given = flow_run.get_parameters()
    options = BackfillOptions.model_validate(given.get("options") or {})
    bounds = (("since", options.since), ("until", options.until))
    told = [f"{word} {value}" for word, value in bounds if value is not None]
    return " ".join([integration_name(given), "backfill", *told])


def described(parameters: Mapping[str, Any]) -> str:
    """Return the integration's name, and after it what the run does differently from the file."""
    options = RunOptions.model_validate(parameters.get("options") or {})
    part = [] if options.partition is None else [options.partition]
    return " ".join([integration_name(parameters), *part, *_differences(options)])


def integration_name(parameters: Mapping[str, Any]) -> str:
    """Return the name of the integration among a flow's parameters."""
    integration = parameters["integration"]
    return str(integration["name"] if isinstance(integration, Mapping) else integration.name)


def _differences(options: RunOptions) -> list[str]:
    bounds = [f"{word} {value}" for word, value in _bounds(options) if value is not None]
    words = ["(dry run)"] * options.dry_run + ["(full refresh)"] * options.full_refresh
    return words + bounds


def _bounds(options: RunOptions) -> list[tuple[str, str | int | None]]:
    return [("since", options.since), ("until", options.until), ("limit", options.limit)]
