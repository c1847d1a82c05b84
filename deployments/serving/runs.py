"""The runs of served deployments: those that ended, were missed, or are stuck."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed

from astrio.blocks.redaction import redact

SKIPPED = "Skipped"
STUCK = timedelta(minutes=5)
_ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]


class EndedRuns:
    """Tells of each run once, when it has ended."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Take what shows a line to the user; runs that ended before now are not told."""
        self._tell = tell
        self._since = datetime.now(UTC)
        self._told: set[tuple[UUID, datetime]] = set()

    async def tell_news(self, client: PrefectClient, deployments: Collection[UUID]) -> None:
        """Show a line for each run that has ended since the last call."""
        found = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                deployment_id=_of(deployments),
                state=_in(*_ENDED),
                end_time=FlowRunFilterEndTime.model_validate(
                    {"after_": self._since - timedelta(seconds=30)}
                ),
            ),
            sort=FlowRunSort.END_TIME_DESC,
        )
        for run in reversed(found):
            assert run.end_time is not None
            key = (run.id, run.end_time)
            if key not in self._told and run.end_time >= self._since:
                self._told.add(key)
                if run.state_name != SKIPPED:
                    self._tell(ending(run))
        self._told = {key for key in self._told if key[1] > self._since - timedelta(minutes=5)}


def ending(run: FlowRun) -> str:
    """Return how a run ended, in one line."""
    state = run.state
    assert state is not None
    assert run.end_time is not None
    message = " ".join((state.message or "").split()).removeprefix(
        "Flow run encountered an exception: "
    )
    name = str(state.name)
    words = message if message.startswith(name) else f"{name}: {message}".removesuffix(": ")
    return redact(f"{run.end_time.astimezone():%H:%M:%S} {run.name}: {words}")


async def merge_missed(client: PrefectClient, deployments: Collection[UUID]) -> int:
    """Skip all but the newest run of each deployment that should have begun by now.

    One run catches up on everything, so a pause is not followed by a row of runs. Runs that
    people asked for are kept, and so are runs that have begun before. Runs that heal, and read
    everything again, are told from the usual ones.

    Returns:
        How many runs were skipped.
    """
    late = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=_of(deployments),
            state=_in(StateType.SCHEDULED),
            expected_start_time=FlowRunFilterExpectedStartTime.model_validate(
                {"before_": datetime.now(UTC)}
            ),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
    )
    missed: dict[tuple[UUID | None, bool], list[FlowRun]] = defaultdict(list)
    for run in late:
        if run.auto_scheduled and run.run_count == 0:
            options = run.parameters.get("options") or {}
            missed[run.deployment_id, bool(options.get("full_refresh"))].append(run)
    for newest, *older in missed.values():
        words = f"Missed; the run scheduled for {newest.expected_start_time} catches up."
        for run in older:
            await client.set_flow_run_state(run.id, Cancelled(name=SKIPPED, message=words))
    return sum(len(runs) - 1 for runs in missed.values())


async def crash_stuck(client: PrefectClient, deployments: Collection[UUID]) -> None:
    """Mark runs as crashed that were being prepared when their server or process was killed."""
    pending = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(deployment_id=_of(deployments), state=_in(StateType.PENDING))
    )
    for run in pending:
        if run.state is not None and run.state.timestamp < datetime.now(UTC) - STUCK:
            words = "The process that was to run it has gone."
            await client.set_flow_run_state(run.id, Crashed(message=words))


def _of(deployments: Collection[UUID]) -> FlowRunFilterDeploymentId:
    return FlowRunFilterDeploymentId(any_=list(deployments))


def _in(*states: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
