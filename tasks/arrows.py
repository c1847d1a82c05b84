"""The one place that reaches into Prefect's engine: it draws the arrows between streaming tasks.

A consumer that is linked to its producer's *running* state would be nested under it in the UI, so
the stream is linked to a Completed state that carries the producer's task run id. These helpers
are not part of Prefect's public interface: should they go, the arrows go, and nothing else.
"""

from __future__ import annotations

from typing import Any


def draw_arrow(yielded: Any, consumed: Any) -> None:
    """Make the task that receives `consumed` the successor of the task that yielded `yielded`."""
    try:
        from prefect.client.schemas.objects import StateDetails
        from prefect.states import Completed
        from prefect.utilities.engine import get_state_for_result, link_state_to_task_run_result
    except ImportError:  # pragma: no cover (a Prefect without these helpers)
        return
    found = get_state_for_result(yielded)
    if found is None:
        return
    details = found[0].state_details
    link_state_to_task_run_result(
        Completed(
            state_details=StateDetails(
                flow_run_id=details.flow_run_id, task_run_id=details.task_run_id
            )
        ),
        consumed,
    )
