"""Records that other integrations have handed over, as the pages of a run; free of Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from astrio.flows.integration import Integration
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.webhooks.inbox.event import Event
from astrio.tasks.webhooks.inbox.handing import edge, taken_over, waiting
from astrio.tasks.webhooks.receiving import Effects, EventPages, EventReading, Shares

_AT_ONCE: Final = 4  # each holds some hundred records


def edges_of(integration: Integration) -> list[str]:
    """Return the names under which records wait for an integration."""
    return [edge(sender, integration.name) for sender in integration.source.senders]


class HandedOver:
    """Yields what waits for an integration, the oldest first; it is done when the run is.

    What a run has written that failed later is known by its effects, as events are, and counts as
    unchanged in the next.
    """

    def __init__(
        self,
        integration: Integration,
        context: MappingContext,
        effects: Effects,
        shares: Shares = lambda _: {},
    ) -> None:
        """Take the integration, the clock, and what tells which events have had their effect."""
        self._shares = shares
        keep = integration.source.filter
        self._edges = edges_of(integration)
        self._reading = EventReading(keep=compile_expression(keep, context) if keep else None)
        self._effects = effects
        self._ids: list[str] = []

    async def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:
        """Yield the pages; nothing waiting makes one empty page.

        Raises:
            AstrioError: the ledger cannot be read.
        """
        held: Page | None = None
        number, after = 0, ""
        while events := await asyncio.to_thread(waiting, self._edges, after, _AT_ONCE):
            after = events[-1].id
            async with aclosing(self._of(events, session)) as pages:
                async for page in pages:
                    number += 1
                    page.number, page.stop_reason = number, None
                    if held is not None:
                        yield held
                    held = page
            self._ids += [each.id for each in events]
        held = held or Page(1)
        held.stop_reason = "no_next"
        yield held

    async def _of(
        self, events: Sequence[Event], session: ApiClient | None
    ) -> AsyncGenerator[Page, None]:
        source = EventPages(events, self._reading, self._effects, self._shares)
        async with aclosing(source.pages(session)) as pages:
            async for page in pages:
                yield page

    async def done(self) -> None:
        """Let what was read be done, once the destination has it."""
        await asyncio.to_thread(taken_over, self._ids, self._edges)
