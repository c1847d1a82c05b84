"""The flow `part`: one chunk of a backfill, as a flow run of its own."""

from __future__ import annotations

from prefect import flow

from astrio.flows.carrying_out import carry_out
from astrio.flows.integration import Integration
from astrio.flows.naming import part_run_name
from astrio.flows.parting import PartRun
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.options import PartOptions
from astrio.tasks.report import RunReport

redact_logs()


@flow(name="part", flow_run_name=part_run_name, persist_result=False, validate_parameters=True)
async def part(integration: Integration, options: PartOptions) -> RunReport:
    """Run one part of an integration; the watermark and the resume point of the rest stay.

    Args:
        integration: the whole integration; it holds names of secrets, never secrets.
        options: which part, and how.

    Raises:
        AstrioError: the run failed; its report is kept with the data and as an artifact.
    """
    return await carry_out(PartRun(integration, options))
