"""The flow `backfill`: a range of an integration, read in chunks, each a flow run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from prefect import flow, tags

from astrio.flows.backfilling import chunks_of, refuse
from astrio.flows.carrying_parts import carry_out_parts
from astrio.flows.connecting import connected
from astrio.flows.integration import Integration
from astrio.flows.naming import backfill_name
from astrio.flows.part import part
from astrio.flows.parting import once_name, part_name
from astrio.flows.redacted_logs import redact_logs
from astrio.flows.tally import Tally
from astrio.tasks.destinations.opening import parts_done, parts_held, stream_status
from astrio.tasks.options import BackfillOptions, PartOptions
from astrio.tasks.report import RunReport, Window

redact_logs()

TAG = "backfill"


@flow(name="backfill", flow_run_name=backfill_name, persist_result=False, validate_parameters=True)
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
    plan = await asyncio.to_thread(_planned, integration, options)

    async def carry(chunk: PartOptions) -> RunReport:
        with tags(*integration.tags, TAG):
            return await part(integration, chunk)

    async def look() -> tuple[dict[str, RunReport], set[str]]:
        return await asyncio.to_thread(plan.look)

    window = Window(start=plan.chunks[0].since, end=plan.chunks[-1].until)
    names = [part_name(each) for each in plan.chunks]
    tally = Tally(integration.name, names, plan.done(), window)
    return await carry_out_parts(tally, plan.left(tally), carry, options.parallel, look)


@dataclass(frozen=True)
class _Plan:
    """The chunks of a backfill.

    Attributes:
        integration: with its saved connections read.
        chunks: oldest first.
        once: their names, by the names that they are remembered by when they are done.
    """

    integration: Integration
    chunks: list[PartOptions]
    once: dict[str, str]

    def done(self) -> dict[str, RunReport]:
        """Return the reports of those that are done, by their names."""
        found = parts_done(self.integration.push, self.integration.name, list(self.once))
        return {self.once[name]: RunReport.model_validate(report) for name, report in found.items()}

    def left(self, tally: Tally) -> list[PartOptions]:
        """Return those that are to be read."""
        return [each for each in self.chunks if part_name(each) not in tally.before]

    def look(self) -> tuple[dict[str, RunReport], set[str]]:
        """Return those that are done, and the names of those that somebody is at work on."""
        held = parts_held(self.integration.push, self.integration.name)
        return self.done(), held


def _planned(integration: Integration, options: BackfillOptions) -> _Plan:
    ready = connected(integration)
    mark = stream_status(ready.push, ready.name).watermark
    chunks = chunks_of(ready, options, datetime.now(UTC), mark)
    # What is read anew is not looked for among what is done.
    once = {} if options.again else {once_name(ready, each): part_name(each) for each in chunks}
    return _Plan(ready, chunks, once)
