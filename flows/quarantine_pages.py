"""Quarantined records as the pages of a run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.tasks.account import Account
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Problem, Reject
from astrio.tasks.destinations.opening import replayable, stored_records
from astrio.tasks.http.client import ApiClient
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.replayed import ReplayedPage, Stored
from astrio.tasks.selection import Selection
from astrio.tasks.weighing import weights

SIZE: Final = 1_000
UNREADABLE: Final = "format"
"""The rule of lines that were no records; no mapping makes one of them."""


class QuarantinePages:
    """Yields a stream's open records, oldest first, filtered as the file says today."""

    def __init__(self, integration: Integration, numbers: Sequence[int], account: Account) -> None:
        """Take the integration with its destination, the rows' ids, and the run's account.

        Args:
            integration: whose records.
            numbers: the ids of some rows; none: all that are open.
            account: is warned of records that are missing.
        """
        self._integration = integration
        self._numbers = numbers
        self._account = account
        self._missing: Counter[str] = Counter()
        self._pages = 0

    async def pages(
        self,
        session: ApiClient | None,  # noqa: ARG002 (every page source is given one)
    ) -> AsyncGenerator[ReplayedPage, None]:
        """Yield the pages; the quarantine is looked into for a moment for each thousand records.

        Raises:
            ConfigurationError: a row is not open, or its record cannot be read.
        """
        push, name = self._integration.push, self._integration.name
        numbers = await asyncio.to_thread(replayable, push, name, self._numbers)
        ahead = ReplayedPage(1)
        for start in range(0, len(numbers), SIZE):
            wanted = numbers[start : start + SIZE]
            rows = self._readable(await asyncio.to_thread(stored_records, push, name, wanted))
            for page in self._of(rows):
                if ahead.stored:
                    yield ahead
                ahead = page
        self._tell_missing(nothing_else=not ahead.stored)
        ahead.stop_reason = "no_next"
        yield ahead

    def _readable(self, rows: Sequence[Stored]) -> list[Stored]:
        for row in rows:
            if row.missing is not None:
                self._missing[row.missing] += 1
                if self._numbers:
                    raise ConfigurationError(f"Record {row.id} cannot be replayed: {row.missing}.")
        return [row for row in rows if row.missing is None]

    def _tell_missing(self, *, nothing_else: bool) -> None:
        told = [
            f"{count} quarantined records cannot be replayed and stay where they are: {reason}."
            for reason, count in self._missing.items()
        ]
        if told and nothing_else:
            raise ConfigurationError(" ".join(told))
        self._account.report.warnings += told

    def _of(self, rows: Sequence[Stored]) -> Iterator[ReplayedPage]:
        """Yield a page for each run of consecutive records with the same clock."""
        for started, group in groupby(rows, lambda row: row.started):
            self._pages += 1
            stored = list(group)
            unreadable = [row for row in stored if row.rule == UNREADABLE]
            others = [row.record for row in stored if row.rule != UNREADABLE]
            context = MappingContext(started or self._account.started)
            selected = self._selection(context)(others)
            rejects = selected.rejects + [_refused(row) for row in unreadable]
            yield ReplayedPage(
                self._pages,
                records=selected.records,
                fetched=len(stored),
                filtered=len(stored) - len(selected.records) - len(rejects),
                rejects=rejects,
                stored=stored,
                started=started,
                size=weights(row.record for row in stored),
            )

    def _selection(self, context: MappingContext) -> Selection:
        source = self._integration.source
        keep: Callable[[object], object] | None = None
        if source.filter is not None:
            keep = compile_expression(source.filter, context)
        return Selection(keep, None, Answers(source.response, source.records, context))


def _refused(row: Stored) -> Reject:
    return Reject(row.record, [Problem(None, UNREADABLE, row.reason)])
