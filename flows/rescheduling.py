"""A run that has to wait for long frees its process, and is started again after the wait."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import AwaitingRetry

from astrio.blocks.errors import WaitTooLongError
from astrio.blocks.redaction import redact


async def go_on_after(error: WaitTooLongError) -> None:
    """Schedule this very run anew for the end of the wait, and end its process.

    It goes on from its last checkpoint. If Prefect does not take the new state, nothing is raised,
    and the run fails with the error.

    Raises:
        Pause: Prefect's engine leaves the run in its new state.
    """
    state: State[Any] = AwaitingRetry(scheduled_time=error.until, message=redact(error.message))
    try:
        async with get_client() as client:
            await client.set_flow_run_state(UUID(str(flow_run.id)), state, force=True)
    except Exception as problem:  # noqa: BLE001 (the run fails then, and says why)
        get_run_logger().warning(f"The run could not be put off: {redact(str(problem))}")
        return
    get_run_logger().info(f"{redact(error.message)} The run goes on then by itself.")
    raise Pause(state=state)
