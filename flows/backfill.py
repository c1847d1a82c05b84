"""The flow `backfill`: a range of an integration, read in chunks, each a flow run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from astrio.flows.backfilling import chunks_of, refuse
from astrio.flows.carriers import carrier
from astrio.flows.carrying_parts import carry_out_parts
from astrio.flows.connecting import connected
from astrio.flows.declaring import declared
from astrio.flows.integration import Integration
from astrio.flows.naming import backfill_name
from astrio.flows.parting import once_name, part_name, path_of
from astrio.flows.partitions import as_partition
from astrio.flows.redacted_logs import redact_logs
from astrio.flows.tally import Tally
from astrio.tasks.destinations.opening import parts_done, parts_held, stream_status
from astrio.tasks.options import BackfillOptions, PartOptions
from astrio.tasks.report import RunReport, Window

redact_logs()

TAG = "backfill"


@declared(
    name="backfill", flow_run_name=backfill_name, persist_result=False, validate_parameters=True
)
async def backfill(integration: Integration, options: BackfillOptions) -> RunReport:
    """Read a range again, chunk by chunk and several at a time; the watermark stays.

    A chunk that an earlier run of the same file has done is not read again.

    Args:
        integration: the whole integration; it holds names of secrets, never secrets.
        options: the range, and how it is cut.

    Raises:
        AstrioError: the range cannot be read, or some chunks failed; the others are done.
    """
    refuse(integration, options)
    carry = carrier(integration, options.pool, (*integration.tags, TAG))
    plan = await asyncio.to_thread(_planned, integration, options)

    async def look() -> tuple[dict[str, RunReport], set[str]]:
        return await asyncio.to_thread(plan.look)

    done = await asyncio.to_thread(plan.done)
    window = Window(start=plan.chunks[0].since, end=plan.chunks[-1].until)
    tally = Tally(integration.name, [part_name(each) for each in plan.chunks], done, window)
    left = [each for each in plan.chunks if part_name(each) not in done]
    return await carry_out_parts(tally, left, carry, options.parallel, look)


@dataclass(frozen=True)
class _Plan:
    """The chunks of a backfill.

    Attributes:
        integration: with its saved connections read.
        chunks: oldest first, of one partition after the other.
        anew: they are read whether they are done or not.
    """

    integration: Integration
    chunks: list[PartOptions]
    anew: bool

    def done(self) -> dict[str, RunReport]:
        """Return the reports of those that are done, by their names."""
        if self.anew:
            return {}
        found: dict[str, RunReport] = {}
        for partition, group in groupby(self.chunks, key=lambda each: each.partition):
            alone = as_partition(self.integration, partition)
            once = {once_name(alone, each): each for each in group}
            outer = path_of(next(iter(once.values())))[:-1]
            reports = parts_done(alone.push, alone.name, list(once), outer)
            found |= {
                part_name(once[name]): RunReport.stored(report) for name, report in reports.items()
            }
        return found

    def look(self) -> tuple[dict[str, RunReport], set[str]]:
        """Return those that are done, and the names of those that somebody is at work on."""
        held = parts_held(self.integration.push, self.integration.name)
        names = {part_name(each) for each in self.chunks if "#".join(path_of(each)) in held}
        return self.done(), names


def _planned(integration: Integration, options: BackfillOptions) -> _Plan:
    ready = connected(integration)
    mark = stream_status(ready.push, ready.name).watermark
    return _Plan(ready, chunks_of(ready, options, datetime.now(UTC), mark), options.again)
