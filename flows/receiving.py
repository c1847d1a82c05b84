"""A run of events that came in by webhook; free of Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from astrio.flows.connecting import webhook_name
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.options import RunOptions
from astrio.tasks.webhooks.enriching import enriching
from astrio.tasks.webhooks.inbox.looking import Which, listed, read
from astrio.tasks.webhooks.receiving import EventPages, EventReading

# A reject is kept in the quarantine: to receive its event again would not mend it.
_ANY: Final = "100%"


async def receiving_run(
    integration: Integration, events: Sequence[str], ledger: Ledger | None = None
) -> Run:
    """Prepare the run of some events of the inbox; those that have had their effect have no other.

    Args:
        integration: its source is a webhook.
        events: ids of events of the inbox.
        ledger: where the inbox is, if not where it usually is.

    Raises:
        AstrioError: the inbox cannot be read.
    """
    found = await asyncio.to_thread(read, list(events), ledger)

    limit = integration.max_rejected
    tolerant = integration.model_copy(update={"max_rejected": _ANY if limit is None else limit})
    run = Run(tolerant, RunOptions(wait=True), connects=integration.source.api is not None)
    context = MappingContext(now=run.account.started)
    run.take(EventPages(found, _reading(integration, context), run.effects, run.shares))
    return run


def latest_events(integration: Integration, most: int, context: MappingContext) -> EventPages:
    """Return the latest events of the integration's source, as if none had had its effect.

    Raises:
        AstrioError: the inbox cannot be read.
    """

    async def effects(_: Sequence[str]) -> set[str]:
        return set()

    named = listed(Which(source=webhook_name(integration)), most)
    return EventPages(read([each.id for each in named]), _reading(integration, context), effects)


def _reading(integration: Integration, context: MappingContext) -> EventReading:
    source = integration.source
    enrich = enriching(source.request, source.response, integration.vars, context)
    return EventReading(
        records=source.records,
        allow_missing=source.allow_missing,
        keep=compile_expression(source.filter, context) if source.filter else None,
        include=source.event_as,
        enrich=None if source.api is None else enrich,
    )
