"""The flow `receive`: events that came in by webhook, through the same five tasks as a sync."""

from __future__ import annotations

import asyncio

from prefect.runtime import flow_run

from astrio.flows.carrying_out import carry_out
from astrio.flows.declaring import declared
from astrio.flows.integration import Integration
from astrio.flows.receiving import receiving_run
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.report import RunReport
from astrio.tasks.webhooks.inbox.tending import noted

redact_logs()


@declared(
    name="receive",
    flow_run_name="{integration.name} (events)",
    persist_result=False,
    validate_parameters=True,
)
async def receive(integration: Integration, events: list[str]) -> RunReport:
    """Let events of the inbox have their effect: fetch, transform, validate, push.

    To run it again is safe: an event whose effect is written has no other.

    Args:
        integration: the whole integration, whose source is a webhook.
        events: ids of events in the inbox; what they hold is read from there.

    Raises:
        AstrioError: the run failed; its report is kept with the data and as an artifact.
    """
    if flow_run.id:
        await asyncio.to_thread(noted, events, str(flow_run.id))
    return await carry_out(await receiving_run(integration, events))
