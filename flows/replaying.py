"""A replay: quarantined records go through today's mapping and rules into the destination.

It takes the stream's lease, as every run does, and leaves watermark, resume point and the
watermarks of parts alone. Each chunk commits its rows and closes their rows of the quarantine in
one transaction, so that a replay that is killed has written nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.judging import judging
from astrio.flows.plan import Plan
from astrio.flows.planning import Run
from astrio.flows.quarantine_pages import QuarantinePages
from astrio.tasks.batch import Batch, Page, Problem
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.mapping.compile import CompiledMapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.options import RunOptions
from astrio.tasks.outcome import Outcome
from astrio.tasks.replayed import ReplayedPage
from astrio.tasks.rules.compile import CompiledRules

Parts = tuple[CompiledMapping, CompiledRules]
PartsAt = Callable[[datetime | None], Parts]


class Replay(Run):
    """One replay of a stream's quarantine, from the lease to its release."""

    def __init__(
        self, integration: Integration, numbers: Sequence[int] = (), *, wait: bool = False
    ) -> None:
        """Prepare the account; nothing is opened yet.

        Args:
            integration: whose quarantine; of its API nothing is needed, not even its secrets.
            numbers: the ids of some of its rows; none: all that are open.
            wait: wait while another run of the stream is at work.

        Raises:
            ConfigurationError: it has several destinations; `Integration.toward` chooses one.
        """
        if len(integration.push.all) > 1:
            raise ConfigurationError(
                f"{integration.name} has several destinations, each with a quarantine of its own.",
                advice="Say which: `astrio quarantine replay NAME --to TABLE`.",
            )
        super().__init__(as_replayed(integration), RunOptions(wait=wait))
        self._numbers = numbers
        self.account.max_rejected = "100%"  # those that fail again are in the quarantine already
        self.account.report.replay = True

    async def _plan(
        self,
        outcome: Outcome,
        state: StreamState,  # noqa: ARG002 (a replay leaves it alone)
    ) -> Plan:
        pages = QuarantinePages(self.integration, self._numbers, self.account)
        plan = self._plan_of(pages, outcome)

        @lru_cache(maxsize=16)
        def at(started: datetime | None) -> Parts:
            if started is None:
                return plan.mapping, plan.rules
            return judging(self.integration, MappingContext(now=started))

        return replace(plan, mapping=_MappingAt(at), rules=cast("CompiledRules", _RulesAt(at)))


def as_replayed(integration: Integration) -> Integration:
    """Return the integration as a replay carries it out: without its API, one row at a time.

    A replay holds a part of the records, so it never takes the place of a whole table: with
    `replace`, rows are put beside those that are there, by key if there is one.
    """
    push, source = integration.push, integration.source
    if push.mode == "replace":
        push = push.model_copy(update={"mode": "upsert" if push.key else "append"})
    source = source.model_copy(update={"api": None})
    return integration.model_copy(update={"source": source, "push": push})


class _MappingAt:
    """Maps each page by the clock of the run that rejected its records."""

    def __init__(self, at: PartsAt) -> None:
        self._at = at

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self._at(None)[0].columns

    def transform(self, page: Page) -> Batch:
        return self._at(_clock(page))[0].transform(page)

    def explain(self, record: Any) -> list[tuple[str, Any, str | None]]:
        return self._at(None)[0].explain(record)


class _RulesAt:
    """Judges each batch by the clock of the run that rejected its records."""

    def __init__(self, at: PartsAt) -> None:
        self._at = at

    def validate(self, batch: Batch) -> Batch:
        return self._at(_clock(batch.page))[1].validate(batch)

    def explain(self, columns: Sequence[str], row: tuple[Any, ...]) -> list[Problem]:
        return self._at(None)[1].explain(columns, row)


def _clock(page: Page) -> datetime | None:
    return page.started if isinstance(page, ReplayedPage) else None
