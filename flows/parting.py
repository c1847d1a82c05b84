"""A run of one part of an integration: it has a lease, a resume point and an end of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

from astrio.flows.integration import Integration
from astrio.flows.mapping_version import mapping_version
from astrio.flows.partitions import as_partition
from astrio.flows.plan import Plan
from astrio.flows.planning import Run
from astrio.flows.resuming import fingerprint
from astrio.tasks.batch import Page
from astrio.tasks.cursors import parse_cursor
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.part import Part
from astrio.tasks.http.client import ApiClient
from astrio.tasks.options import PartOptions
from astrio.tasks.outcome import Outcome
from astrio.tasks.report import RunReport

LONGEST: Final = 60


class PartRun(Run):
    """One run of a part, from its lease to the release."""

    def __init__(self, integration: Integration, options: PartOptions) -> None:
        """Prepare the account; nothing is opened yet."""
        super().__init__(as_partition(integration, options.partition), options)
        self.may_be_put_off = False  # whoever waits for all parts goes on without this one
        self._again = options.again
        self._chosen = options
        self.account.report.part = part_name(options)

    def _part(self) -> Part:
        return part_of(self.integration, self._chosen)

    async def _plan(self, outcome: Outcome, state: StreamState) -> Plan:
        if state.done is None or self._again:
            plan = await super()._plan(outcome, state)
            if self.part.once:
                outcome.quality = ()  # thresholds are about a whole run
            return plan
        done = RunReport.stored(state.done)
        requests, done.flow_run = done.requests, self.account.report.flow_run
        self.account.report, self.account.requests = done, lambda: requests
        return self._plan_of(_Nothing(done), outcome)


class _Nothing:
    """What is left to read of a part that another process has read meanwhile."""

    def __init__(self, done: RunReport) -> None:
        self._page = Page(done.pages, stop_reason=done.stop_reason, claimed=done.records.claimed)

    async def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:  # noqa: ARG002
        """Yield one page, without records."""
        yield self._page


def part_of(integration: Integration, options: PartOptions) -> Part:
    """Return which part of the integration's stream a run reads and writes.

    Args:
        integration: with its saved connection read.
        options: of the run.
    """
    path = tuple(path_of(options))
    once = once_name(integration, options) if options.backfill else ""
    return Part(path, once, options.columns, options.yields)


def path_of(options: PartOptions) -> list[str]:
    """Return the names of a part, from the outside in."""
    window = f"{bound_name(options.since)}..{bound_name(options.until)}"
    partition = [] if options.partition is None else [options.partition.replace("#", "%23")]
    return [_short(each) for each in [*partition, *([window] if options.backfill else [])]]


def _short(name: str) -> str:
    """Return a name of which two fit, with the stream's own, where a database limits keys."""
    if len(name) <= LONGEST:
        return name
    digest = sha256(name.encode()).hexdigest()[:12]
    return f"{name[: LONGEST - len(digest) - 1]}~{digest}"


def part_name(options: PartOptions) -> str:
    """Return how a part is called."""
    return ", ".join(path_of(options))


def once_name(integration: Integration, options: PartOptions) -> str:
    """Return the name by which a chunk of a backfill is remembered when it is done.

    It tells the source, the mapping and the columns, so that a chunk counts as done only for what
    the file says now.
    """
    told = [fingerprint(integration), mapping_version(integration), sorted(options.columns)]
    told.append(integration.push.key)
    digest = sha256(json.dumps(told).encode()).hexdigest()[:12]
    return f"backfill:{digest}:{bound_name(options.since)}..{bound_name(options.until)}"


def bound_name(bound: Any) -> str:
    """Return one text for a bound, however it is written: a date where it is a day's beginning."""
    if bound is None:
        return ""
    cursor = parse_cursor(int(bound) if str(bound).isdecimal() else bound)
    if cursor.moment is None:
        return f"{cursor.number}"
    text = cursor.moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    fraction = f".{cursor.nanos:09d}".rstrip("0") if cursor.nanos else ""
    return text.removesuffix("T00:00:00Z") if not fraction else text.replace("Z", f"{fraction}Z")
