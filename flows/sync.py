"""The flow `sync`: one integration, five streaming tasks, one balanced report."""

from __future__ import annotations

from astrio.flows.all_partitions import fan_out
from astrio.flows.carrying_out import carry_out
from astrio.flows.declaring import declared
from astrio.flows.integration import Integration
from astrio.flows.naming import run_name
from astrio.flows.parting import PartRun
from astrio.flows.planning import Run
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.options import PartOptions, RunOptions
from astrio.tasks.report import RunReport

redact_logs()


PLAIN = RunOptions()


@declared(name="sync", flow_run_name=run_name, persist_result=False, validate_parameters=True)
async def sync(integration: Integration, options: RunOptions = PLAIN) -> RunReport:
    """Run one integration: authenticate, fetch, transform, validate, push.

    Args:
        integration: the whole integration; it holds names of secrets, never secrets.
        options: what this run does differently from the file.

    Raises:
        AstrioError: the run failed; its report is kept with the data and as an artifact.
    """
    if integration.partitions is not None and options.partition is None:
        return await fan_out(integration, options)
    if options.partition is not None:
        return await carry_out(PartRun(integration, PartOptions(**options.model_dump())))
    return await carry_out(Run(integration, options))
