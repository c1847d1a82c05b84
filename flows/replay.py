"""The flow `replay`: quarantined records once more, as a run with a report of its own."""

from __future__ import annotations

from astrio.flows.carrying_out import carry_out
from astrio.flows.declaring import declared
from astrio.flows.integration import Integration
from astrio.flows.naming import replay_name
from astrio.flows.redacted_logs import redact_logs
from astrio.flows.replaying import Replay
from astrio.tasks.report import RunReport

redact_logs()


@declared(name="replay", flow_run_name=replay_name, persist_result=False, validate_parameters=True)
async def replay(
    integration: Integration, ids: tuple[int, ...] = (), wait: bool = False
) -> RunReport:
    """Run quarantined records through today's mapping and rules into the destination.

    Args:
        integration: the whole integration; it holds names of secrets, never secrets.
        ids: rows of the quarantine; none: all that are open.
        wait: wait while another run of this stream is at work.

    Raises:
        AstrioError: the replay failed; its report is kept with the data and as an artifact.
    """
    return await carry_out(Replay(integration, ids, wait=wait))
