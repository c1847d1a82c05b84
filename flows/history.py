"""What the destination knows of a stream's earlier runs."""

from __future__ import annotations

import asyncio
from typing import Any

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.opening import last_runs
from astrio.tasks.destinations.settings import PushSettings


async def earlier_runs(
    push: PushSettings, integration: str, run_id: str, limit: int = 10
) -> list[dict[str, Any]]:
    """Return the reports of the latest runs but `run_id`, newest first; none if it cannot tell."""
    try:
        runs = await asyncio.to_thread(last_runs, push, integration, limit + 1)
    except AstrioError:
        return []
    return [run for run in runs if run["run_id"] != run_id][:limit]
