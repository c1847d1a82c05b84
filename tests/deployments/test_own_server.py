"""A Prefect server that astrio starts, with many runs that begin side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

FLOW_RUNS, TASK_RUNS = 8, 12


async def test_no_run_of_many_that_begin_at_once_is_sent_away(prefect_api: str) -> None:
    async with httpx.AsyncClient(base_url=prefect_api, timeout=120, trust_env=False) as client:

        async def make(kind: str, body: dict[str, Any]) -> str:
            answer = await client.post(f"{kind}/", json=body)
            assert answer.is_success, (kind, answer.status_code, answer.text)
            return str(answer.json()["id"])

        async def run(number: int) -> None:
            made = await make("flow_runs", {"flow_id": flow, "name": f"run {number}"})
            await asyncio.gather(*(make("task_runs", task(made, key)) for key in range(TASK_RUNS)))

        flow = await make("flows", {"name": "side-by-side"})
        await asyncio.gather(*(run(number) for number in range(FLOW_RUNS)))


def task(flow_run: str, key: int) -> dict[str, Any]:
    """Return a task run of a flow run, as Prefect's client announces it."""
    return {"flow_run_id": flow_run, "task_key": f"task-{key}", "dynamic_key": "0"}
