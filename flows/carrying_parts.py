"""Carrying out many parts of one integration, side by side, each as a flow run of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed

from astrio.blocks.errors import (
    AstrioError,
    ImbalanceError,
    RetryableError,
    ServerUnavailableError,
)
from astrio.blocks.redaction import redact
from astrio.flows.artifacts import progress_artifact, report_artifact
from astrio.flows.parting import part_name
from astrio.flows.summary import STATES, headline
from astrio.flows.tally import Tally
from astrio.tasks.options import PartOptions
from astrio.tasks.progress import Progress, announce, announcer, watching_alone
from astrio.tasks.report import RunReport
from astrio.tasks.unexpected import unexpected

Carrier = Callable[[PartOptions], Awaitable[RunReport | None]]
"""Carries out a part; None: it is left to another process, which is at work on it."""
Look = Callable[[], Awaitable[tuple[dict[str, RunReport], set[str]]]]
MOST_TRIES: Final = 3
"""So often a part is begun while Prefect's server is too busy; its client waits each time, too."""


async def nothing_known() -> tuple[dict[str, RunReport], set[str]]:
    """Know of no part that others do, or have done."""
    return {}, set()


async def carry_out_parts(
    tally: Tally,
    waiting: Sequence[PartOptions],
    carry: Carrier,
    parallel: int,
    look: Look = nothing_known,
) -> RunReport:
    """Carry out parts, so many at a time; one that fails keeps no other from being done.

    Called from within a flow, to which it gives a state that tells how the whole has ended.

    Args:
        tally: knows all parts, also those that are done.
        waiting: the parts to carry out, in order.
        carry: carries one out, and raises AstrioError if it fails.
        parallel: how many at a time.
        look: returns the reports of parts that others have done meanwhile, and the names of those
            that they are at work on: these are left for last.

    Raises:
        AstrioError: some failed, or the sums do not add up.
    """
    own = str(flow_run.id) if flow_run.id else None
    try:
        async with progress_artifact(tally.integration):
            announce(tally.progress())
            await _side_by_side(_Queue(tally, list(waiting), look), carry, parallel)
    except asyncio.CancelledError:
        await _publish(tally.report(own, cancelled=True))
        raise
    report = tally.report(own)
    error = tally.error(report) or _imbalance(report)
    await _publish(report)
    if error is not None:
        raise error
    state: State[RunReport] = Completed(
        name=STATES[report.state], message=headline(report), data=report
    )
    return cast("RunReport", state)


@dataclass
class _Queue:
    """The parts that are still to be carried out.

    Attributes:
        left: names of those that were found in the hands of another process.
    """

    tally: Tally
    waiting: list[PartOptions]
    look: Look
    left: set[str] = field(default_factory=set)
    _tries: Counter[str] = field(default_factory=Counter)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def next(self) -> PartOptions | None:
        """Return the first part that nobody else is at work on; None: there is no more to do.

        Another process may choose the same at the same moment. While there is another part, the
        one is then left to it; the last ones are waited for.
        """
        async with self._turn:
            try:
                done, held = await self.look()
            except RetryableError:  # the parts themselves will say what is wrong
                done, held = await nothing_known()
            self.tally.before.update(done)
            self.waiting = [each for each in self.waiting if part_name(each) not in done]
            if not self.waiting or self.tally.gives_up:
                return None
            held = held | self.left
            free = [each for each in self.waiting if part_name(each) not in held]
            chosen = (free or self.waiting)[0]
            self.waiting.remove(chosen)
            return chosen.model_copy(update={"yields": bool(free) and chosen.wait})

    def leave(self, options: PartOptions) -> None:
        """Take back a part that another process is at work on, for when there is nothing else."""
        self.left.add(part_name(options))
        self.waiting.append(options)

    def put_off(self, options: PartOptions) -> bool:
        """Take back a part that Prefect's server was too busy for; False: it was, too often."""
        name = part_name(options)
        self._tries[name] += 1
        if self._tries[name] >= MOST_TRIES:
            return False
        self.tally.forget(name)
        self.waiting.append(options)
        return True


async def _side_by_side(queue: _Queue, carry: Carrier, parallel: int) -> None:
    async def work() -> None:
        while (options := await queue.next()) is not None:
            await _one(queue, options, carry)
            announce(queue.tally.progress())

    workers = [asyncio.create_task(work()) for _ in range(min(parallel, len(queue.waiting)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _one(queue: _Queue, options: PartOptions, carry: Carrier) -> None:
    tally, name = queue.tally, part_name(options)

    tell = announcer()

    def hear(news: Progress | RunReport) -> None:
        tally.hear(name, news)
        tell(tally.progress())

    try:
        with watching_alone(hear):
            report = await carry(options)
    except Exception as error:  # noqa: BLE001 (whatever it is, the others go on, and it is told)
        told = error if isinstance(error, AstrioError) else unexpected(error)
        if isinstance(told, ServerUnavailableError):
            if tally.is_done(name):  # only Prefect does not know it
                tally.end(name)
                return
            if queue.put_off(options):
                get_run_logger().warning(redact(f"{name} is put off: {told.message}"))
                return
        get_run_logger().error(redact(f"{name}: {told.message}"))
        tally.end(name, told)
    else:
        if report is None:
            queue.leave(options)
            return
        tally.hear(name, report)
        tally.end(name)


def _imbalance(report: RunReport) -> AstrioError | None:
    if report.records.balanced:
        return None
    found = f"{report.records.fetched} records were fetched but {report.records.accounted}"
    return ImbalanceError(
        f"{found} accounted for.",
        advice="Please report this with the run's report: it is a fault of astrio.",
    )


async def _publish(report: RunReport) -> None:
    """Show the report to whoever watches: the command line, the log, the Prefect UI."""
    announce(report)
    get_run_logger().info(headline(report))
    try:
        await report_artifact(report)
    except Exception as error:  # noqa: BLE001 (the rows are written, whatever Prefect's API says)
        get_run_logger().warning(f"The report's artifact could not be kept: {redact(str(error))}")
