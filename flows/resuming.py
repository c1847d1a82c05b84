"""The resume point of an unfinished run: what it holds, and whether a run may go on from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.tasks.account import Account
from astrio.tasks.batch import Page
from astrio.tasks.incremental import Window
from astrio.tasks.options import RunOptions
from astrio.tasks.report import BrokenRule, Records, Requests, TableChanges


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a logical run goes on, with its counts so far; stored with the rows they count.

    Attributes:
        request: the next page's request (JSON values), None when every page is committed.
        bounds: the options that shape the run (`since`, `until`, `full_refresh`).
        cursor: the highest cursor value seen.
        ties: the records at the boundary of the next run.
        table: how the table was changed so far.
        broken_rules: how many records broke each rule.
        own: a destination's own counts, where there are several.
    """

    run_id: str
    started: str
    source: str
    bounds: dict[str, Any]
    window: dict[str, Any]
    request: dict[str, Any] | None
    stop_reason: str | None
    pages: int
    records: dict[str, Any]
    requests: dict[str, Any]
    cursor: Any
    ties: dict[str, Any] | None = None
    table: dict[str, Any] | None = None
    broken_rules: list[dict[str, Any]] = field(default_factory=list)
    own: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `ResumePoint(**values)` makes an equal one."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ResumeMaker:
    """Makes a run's resume points; the part that stays the same is given once."""

    integration: Integration
    options: RunOptions
    window: Window

    def __call__(
        self,
        page: Page,
        account: Account,
        pages: int,
        records: Records,
        table: TableChanges | None = None,
    ) -> dict[str, Any]:
        """Return the resume point after `page`, with the counts up to and including it."""
        return ResumePoint(
            run_id=account.run_id,
            started=account.started.isoformat(),
            source=fingerprint(self.integration),
            bounds=_bounds(self.options),
            window={"start": self.window.start, "end": self.window.end},
            request=page.resume,
            stop_reason=page.stop_reason,
            pages=pages,
            records=records.model_dump(),
            requests=account.requests().model_dump(),
            cursor=account.cursor,
            ties=page.ties,
            table=table.model_dump() if table else None,
        ).to_json()


def usable(
    stored: dict[str, Any] | None, integration: Integration, options: RunOptions
) -> ResumePoint | None:
    """Return the stored resume point if this run may go on from it.

    A run with other bounds or a limit, or of a changed source, starts its slice anew; upsert
    absorbs what it reads twice. `replace` always starts anew: its rows were not shown yet.

    Raises:
        ConfigurationError: starting anew would append rows twice.
    """
    modes = {push.mode for push in integration.push.all}
    if stored is None or "replace" in modes:
        return None
    point = ResumePoint(**stored)
    unbounded = point.bounds["since"] is None and point.bounds["until"] is None
    plain = _bounds(options) == _bounds(RunOptions())
    continues = _bounds(options) == point.bounds or (plain and unbounded)
    if continues and options.limit is None and point.source == fingerprint(integration):
        return point
    if "append" in modes and not options.full_refresh:
        raise ConfigurationError(
            f"An unfinished run of {integration.name} (since {point.started}) has appended rows, "
            "and its source or its window has been changed since: starting anew would append "
            "them twice.",
            advice="Let it finish with the file and options it began with, or start anew on "
            "purpose with --full-refresh.",
        )
    return None


def fingerprint(integration: Integration) -> str:
    """Return a hash of what decides which records the source yields, and in which order."""
    source = integration.source
    told = {
        "base_url": None if source.api is None else source.connection.base_url,
        "vars": integration.vars,
        **source.model_dump(
            mode="json", by_alias=True, exclude={"api"}, context={"show_secrets": False}
        ),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _bounds(options: RunOptions) -> dict[str, Any]:
    return {
        "since": options.since,
        "until": options.until,
        "full_refresh": options.full_refresh,
    }


def restore(account: Account, point: ResumePoint) -> Requests:
    """Let the account go on counting from the resume point; return the requests sent before it."""
    account.run_id = point.run_id
    account.started = datetime.fromisoformat(point.started)
    account.cursor = point.cursor
    account.ties = point.ties
    account.report.pages = point.pages
    account.report.records = Records(**point.records)
    account.report.table = TableChanges(**point.table) if point.table else None
    account.report.broken_rules = [BrokenRule(**each) for each in point.broken_rules]
    account.report.stop_reason = point.stop_reason
    return Requests(**point.requests)
