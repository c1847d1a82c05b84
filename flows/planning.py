"""From an integration to a run: take the lease, read the state, plan the window and the reading.

Free of Prefect: the flow `sync` and the bare engine of the benchmarks both start here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.flows.closing import close_by
from astrio.flows.connecting import connected, resolved_api
from astrio.flows.fanning_out import destination_of, gating_of, with_examples
from astrio.flows.handing_over import HandedOver
from astrio.flows.identifying import identity_of
from astrio.flows.integration import Integration
from astrio.flows.judging import judging
from astrio.flows.plan import Plan
from astrio.flows.projecting import projected, projection_of
from astrio.flows.python_source import python_source
from astrio.flows.reading_plan import Partitions, reading_plan, resumed
from astrio.flows.replacing import refuse_a_part
from astrio.flows.resuming import ResumePoint, restore, usable
from astrio.flows.unchanged_pages import skipping
from astrio.tasks.account import Account
from astrio.tasks.children.plan import no_marks
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.part import WHOLE, Divisible, Part
from astrio.tasks.destinations.several.fan_out import FanOut
from astrio.tasks.difference import ChangedRow
from astrio.tasks.incremental import Window, advance, plan_window
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.options import RunOptions
from astrio.tasks.outcome import Outcome
from astrio.tasks.page_source import PageSource
from astrio.tasks.pushing import fail_run, hold_lease
from astrio.tasks.quality.profile import Profile
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.report import Requests, RunReport
from astrio.tasks.report import Window as ReportWindow
from astrio.tasks.ties import Ties
from astrio.tasks.unexpected import unexpected


class Run:
    """One run of an integration, from the lease to its release."""

    def __init__(
        self,
        integration: Integration,
        options: RunOptions,
        pages: PageSource | None = None,
        *,
        connects: bool = False,
    ) -> None:
        """Prepare the account; nothing is opened yet.

        Args:
            integration: the integration.
            options: what this run does differently from the file.
            pages: records to take instead of the source's own, such as quarantined ones. The
                run then leaves the stream's watermark and resume point as they are.
            connects: whether these pages need a session of the source's API.
        """
        self._pages = pages
        self._connects = connects
        self.part, self.may_be_put_off = WHOLE, True
        self.integration = integration
        self.options = options
        self.account = Account(
            report=RunReport(integration=integration.name, dry_run=options.dry_run),
            run_id=uuid4().hex,
            started=datetime.now(UTC),
            max_rejected=integration.max_rejected,
        )
        self._outcome: Outcome | None = None
        self._examples: list[list[ChangedRow]] = [[]]

    def take(self, pages: PageSource) -> None:
        """Take these pages instead of the source's own, as if they had been given at first."""
        self._pages = pages

    async def open(self) -> Plan:
        """Take the stream's lease, read its state and return the plan.

        Raises:
            AstrioError: a saved connection cannot be read, the stream is in use, or the
                destination cannot be opened.
        """
        # A saved connection may have been changed since the last run, or since this one failed.
        integration = self.integration = await asyncio.to_thread(connected, self.integration)
        refuse_a_part(integration, self.options)
        self._examples = [[] for _ in integration.push.all]
        destination = destination_of(integration, self.options, self._examples)
        self.part = self._part()
        if self.part.path:
            assert isinstance(destination, Divisible)  # others are refused before
            destination.only(self.part)
        outcome = Outcome(destination, self.account, staged=integration.push.staged)
        reads = self._pages is None and not self.part.path
        identity = identity_of(integration, self.account, self.options, reads_source=reads)
        try:
            state = await outcome.call(destination.open, identity, wait=self.options.wait)
        except BaseException:
            await outcome.close()
            raise
        self._outcome, self._holding = outcome, asyncio.create_task(hold_lease(outcome))
        return await self._plan(outcome, state)

    def _part(self) -> Part:
        return WHOLE  # what of the stream is read and written: all, unless a subclass says so

    def told(self) -> RunReport:
        """Return the report for whoever asked for the run; a dry run's has its examples.

        They hold people's data, so they are in no other report.
        """
        return with_examples(self.account.report, self._examples)

    async def _plan(self, outcome: Outcome, state: StreamState) -> Plan:
        integration, options, account = self.integration, self.options, self.account
        if self._pages is None and integration.source.webhook is not None:
            raise ConfigurationError(
                f"{integration.name} reads events as they come in by webhook, so there is nothing "
                "to ask for.",
                advice="`astrio gateway` and `astrio up` receive them; `astrio events send` tries "
                "it out, and `astrio events replay` lets events have their effect again.",
            )
        if self._pages is None and integration.source.event is not None:
            self._pages = self._handed_over()
        if self._pages is not None:
            return self._plan_of(self._pages, outcome)
        point = usable(state.resume, integration, options)
        before = Requests()
        if point is not None:
            before = restore(account, point)
            await outcome.call(outcome.destination.adopt, account.run_id, account.started)
        window = self._window(state, point)
        if integration.source.incremental is None or integration.source.incremental.cursor:
            account.report.window = ReportWindow(start=window.start, end=window.end)
        close_by(outcome, integration, options, state, window, point)
        context = MappingContext(now=account.started)
        ties = self._ties(outcome, state, window, point)
        reading: ReadPlan | PageSource
        if integration.source.python is None:
            reading = replace(self._reading(outcome, window, point, context), ties=ties)
        else:
            mark, limit = state.watermark, options.limit
            reading = python_source(
                integration, window, context, watermark=mark, ties=ties, limit=limit
            )
        outcome.quality, outcome.earlier = integration.quality, state.profile
        plan = self._with_parts(resolved_api(integration), reading, context, outcome)
        account.profile.whole = point is None
        known = state.pages if point is None else None
        return skipping(replace(plan, requests_before=before), integration, options, known)

    def _handed_over(self) -> HandedOver:
        """Return what other integrations have handed over; what is rejected of it is kept."""
        if self.account.max_rejected is None:
            self.account.max_rejected = "100%"
        context = MappingContext(now=self.account.started)
        return HandedOver(self.integration, context, self.effects, self.shares)

    def _plan_of(self, pages: PageSource, outcome: Outcome) -> Plan:
        """Return the plan of records that are not the stream's own reading."""
        outcome.apart = True
        api = resolved_api(self.integration) if self._connects else None
        return self._with_parts(api, pages, MappingContext(now=self.account.started), outcome)

    def _with_parts(
        self,
        api: RestApi | None,
        reading: ReadPlan | PageSource,
        context: MappingContext,
        outcome: Outcome,
    ) -> Plan:
        integration = self.integration
        mapping, rules = judging(integration, context)
        passes = (integration.map, integration.transform) == (None, None)
        self.account.profile = Profile(
            mapped=mapping.columns is not None,
            sources=not passes,
            count_all={each.field for each in integration.quality if each.counts_distinct},
        )
        return Plan(api, reading, mapping, rules, outcome)

    async def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect in the opened stream."""
        assert self._outcome is not None  # a page source is asked for pages after `open`
        return await self._outcome.call(self._outcome.destination.effects, events)

    def shares(self, events: Sequence[str]) -> Mapping[str, Any]:
        """Return in which of several destinations each of the events has had its effect."""
        destination = self._outcome.destination if self._outcome else None
        return destination.shares(events) if isinstance(destination, FanOut) else {}

    def _window(self, state: StreamState, point: ResumePoint | None) -> Window:
        if point is not None:
            return Window(**point.window, strict=bool(self.part.once))
        return self._planned(None if self._by_parents else state.watermark)

    def _planned(self, watermark: Any) -> Window:
        window = plan_window(
            self.integration.source.incremental,
            watermark,
            self.account.started,
            since=self.options.since,
            until=self.options.until,
            full_refresh=self.options.full_refresh,
        )
        return replace(window, strict=bool(self.part.once))

    def _reading(
        self, outcome: Outcome, window: Window, point: ResumePoint | None, context: MappingContext
    ) -> ReadPlan:
        partitions = self._partitions(outcome, window) if self._by_parents else None
        plan = reading_plan(self.integration, window, context, self.options.limit, partitions)
        plan = projected(plan, projection_of(self.integration))
        # Appended rows must not be read twice, unless that is asked for.
        appends = any(push.mode == "append" for push in self.integration.push.all)
        may_restart = not appends or self.options.full_refresh
        return plan if point is None else resumed(plan, point, may_restart=may_restart)

    def _ties(
        self, outcome: Outcome, state: StreamState, window: Window, point: ResumePoint | None
    ) -> Ties | None:
        """Return what keeps rows from being added twice, where they are only added.

        Several destinations have each their own.
        """
        source, options = self.integration.source, self.options
        if source.incremental is None or source.incremental.cursor is None or self._by_parents:
            return None
        if all(push.mode != "append" for push in self.integration.push.all):
            return None
        goes_on = options.since is None and not options.full_refresh
        if isinstance(outcome.destination, FanOut):
            at, mark = self._planned, state.watermark
            outcome.destination.gating = gating_of(
                source.incremental, window, at, goes_on=goes_on, watermark=mark
            )
            return None
        before = point.ties if point else None
        known, mark = (state.ties, state.watermark) if goes_on else ({}, None)
        return Ties(known, before, window.end, mark)

    @property
    def _by_parents(self) -> bool:
        """Whether each parent has a watermark of its own."""
        return None not in (self.integration.source.parent, self.integration.source.incremental)

    def _partitions(self, outcome: Outcome, window: Window) -> Partitions:
        moves = outcome.advance is not None
        outcome.advance = None

        async def marks(keys: list[str]) -> Mapping[str, Any]:
            known: Mapping[str, Any] = await outcome.call(outcome.destination.partitions, keys)
            return known

        def part(mark: Any) -> Window:
            return replace(self._planned(mark), end=window.end)

        return Partitions(
            window=part,
            marks=no_marks if self.options.full_refresh else marks,
            advance=(lambda mark, cursor: advance(mark, cursor, window.end)) if moves else None,
        )

    async def fail(self, error: Exception, *, state: str = "failed") -> AstrioError:
        """End the run with an error: roll back, keep the report, and return what to raise."""
        told = error if isinstance(error, AstrioError) else unexpected(error)
        if self._outcome is not None:
            try:
                await fail_run(self._outcome, told, state=state)
            except AstrioError as second:
                self.account.report.warnings.append(f"The report was not stored: {second.message}")
        self.account.fail(told, state=state)
        return told

    async def close(self) -> None:
        """Release the lease and disconnect."""
        if self._outcome is None:
            return
        try:
            finished = self._outcome.finished and not self.options.dry_run
            if finished and isinstance(self._pages, HandedOver):
                with suppress(AstrioError):  # the next run knows what this one has written
                    await self._pages.done()
        finally:
            self._holding.cancel()
            await self._outcome.close()
