"""How runs are called in the Prefect UI, so that its list of runs can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run

from astrio.tasks.options import RunOptions


def run_name() -> str:
    """Return the name of the flow run that is about to begin."""
    return described(flow_run.get_parameters())


def replay_name() -> str:
    """Return the name of the replay that is about to begin."""
    return f"{described(flow_run.get_parameters())} (replay)"


def described(parameters: Mapping[str, Any]) -> str:
    """Return the integration's name, and after it what the run does differently from the file."""
    options = RunOptions.model_validate(parameters.get("options") or {})
    integration = parameters["integration"]
    name = integration["name"] if isinstance(integration, Mapping) else integration.name
    return " ".join([str(name), *_differences(options)])


def _differences(options: RunOptions) -> list[str]:
    bounds = [f"{word} {value}" for word, value in _bounds(options) if value is not None]
    words = ["(dry run)"] * options.dry_run + ["(full refresh)"] * options.full_refresh
    return words + bounds


def _bounds(options: RunOptions) -> list[tuple[str, str | int | None]]:
    return [("since", options.since), ("until", options.until), ("limit", options.limit)]
