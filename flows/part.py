"""The flow `part`: one chunk of a backfill, as a flow run of its own."""

from __future__ import annotations

from typing import Final, cast

from prefect.states import Completed

from astrio.flows.carrying_out import carry_out
from astrio.flows.declaring import declared
from astrio.flows.integration import Integration
from astrio.flows.naming import part_run_name
from astrio.flows.parting import PartRun
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.destinations.part import PartTakenError
from astrio.tasks.options import PartOptions
from astrio.tasks.report import RunReport

redact_logs()


LEFT: Final = "Left to another"
"""The state of a run that has found another at work on its part."""


@declared(name="part", flow_run_name=part_run_name, persist_result=False, validate_parameters=True)
async def part(integration: Integration, options: PartOptions) -> RunReport | None:
    """Run one part of an integration; the watermark and the resume point of the rest stay.

    Returns None if the part is left to another run: one that is at work on it (`options.yields`),
    or that has taken over a chunk of a backfill because this run stood still for too long.

    Args:
        integration: the whole integration; it holds names of secrets, never secrets.
        options: which part, and how.

    Raises:
        AstrioError: the run failed; its report is kept with the data and as an artifact.
    """
    try:
        return await carry_out(PartRun(integration, options))
    except PartTakenError as taken:
        if not (options.yields or (options.backfill and options.wait)):
            raise
        return cast("None", Completed(name=LEFT, message=taken.message, data=None))
