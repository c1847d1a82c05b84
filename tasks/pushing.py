"""Pushing: batches become chunks, chunks become transactions, and the run's account is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from astrio.blocks.errors import (
    AstrioError,
    ImbalanceError,
    LeaseHeldError,
    QualityError,
    TooManyRejectsError,
    TooManyVanishedError,
)
from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.outcome import Outcome
from astrio.tasks.progress import Progress, announce
from astrio.tasks.quality.judging import judge
from astrio.tasks.report import Parents, RunReport, TableChanges
from astrio.tasks.tuning import CHUNK_BYTES, CHUNK_ROWS, CHUNK_SECONDS

RENEW_SECONDS = 8.0
SHOWN = 10


async def push_batches(batches: AsyncIterable[Batch], outcome: Outcome) -> RunReport:
    """Write every batch, close the account and return the balanced report.

    Raises:
        AstrioError: the run failed; what was committed stays, and the resume point with it.
    """
    await outcome.begin()
    writer = _ChunkWriter(outcome)
    try:
        async for batch in batches:
            await writer.add(batch)
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError):
            outcome.interrupt()
        await writer.rescue()
        raise
    await writer.flush()
    return await _close_account(outcome)


async def fail_run(outcome: Outcome, error: AstrioError, *, state: str = "failed") -> RunReport:
    """Roll back what is not committed, and keep the failed run's report with the data.

    The resume point stays, unless the finished slice itself was found wanting: then the next
    run reads it again from its start. A slice that Ctrl-C found finished stays, and its report.
    """
    account = outcome.account
    await outcome.settle()
    if outcome.finished:
        return account.report
    if outcome.all_or_nothing:
        account.roll_back()
    _stop_clock(outcome)
    report = account.fail(error, state=state)
    found_wanting = ImbalanceError | TooManyRejectsError | QualityError | TooManyVanishedError
    unusable = isinstance(error, found_wanting) and not outcome.apart
    await outcome.call(outcome.destination.abandon, report, clear_resume=unusable)
    return report


async def hold_lease(outcome: Outcome) -> None:
    """Keep the lease alive, until cancelled, however long the source takes for its first page.

    A lost one is found by the next commit.
    """
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await outcome.renew()
        except LeaseHeldError:
            return
        except AstrioError:
            continue


async def _close_account(outcome: Outcome) -> RunReport:
    account, report = outcome.account, outcome.account.report
    account.close()
    account.check(whole=outcome.replaces)
    profile = judge(outcome)
    watermark = _watermark(outcome)
    if outcome.cursor is not None and watermark is not None:
        report.checkpoint = {outcome.cursor: watermark}
    if report.stop_reason == "limit" and outcome.advance is not None and watermark is None:
        report.warnings.append(
            "max_pages ended the reading early, so the watermark did not move: raise "
            "paginate.max_pages, or set incremental.sorted if records come oldest first."
        )
    if report.parents is not None and report.parents.missing:
        report.warnings.append(_missing(report.parents))
    if report.table is not None:
        report.warnings += _left_out(report.table)
    report.warnings += _doubtful(report)
    lost = report.records.rejected + report.records.failed
    report.state = "completed_with_rejects" if lost else "completed"
    _stop_clock(outcome)
    await outcome.finish(
        watermark=watermark,
        ties=account.ties,
        clear_resume=not outcome.apart,
        reread=outcome.reread and report.stop_reason != "limit",
        profile=profile,
    )
    return report


def _left_out(table: TableChanges) -> list[str]:
    """Return what `push.contract` left out, in a sentence for values and one for records."""
    return [
        f"push.contract left {what} out of the table: {_counted(counts)}."
        for what, counts in (("values", table.discarded_values), ("records", table.discarded_rows))
        if counts
    ]


def _counted(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    some = ", ".join(f"{count} for {name}" for name, count in most[:SHOWN])
    return some + (f", and {len(most) - SHOWN} more fields" if len(most) > SHOWN else "")


def _missing(parents: Parents) -> str:
    some = ", ".join(parents.examples)
    more = ", …" if parents.missing > len(parents.examples) else ""
    return (
        f"The API had no children to read for {parents.missing} of {parents.read} parents: "
        f"{some}{more}."
    )


def _doubtful(report: RunReport) -> list[str]:
    """Return a sentence for each rule of severity `warning` that was broken."""
    return [
        f"{each.records} record{'s' * (each.records != 1)} written that "
        f"break{'s' * (each.records == 1)} the rule {each.rule}"
        + (f" of {each.field}." if each.field else ".")
        for each in report.broken_rules
        if each.severity == "warning"
    ]


def _watermark(outcome: Outcome) -> Any:
    moves = outcome.advance is not None and outcome.account.cursor is not None
    return outcome.advance(outcome.account.cursor) if moves and outcome.advance else None


def _stop_clock(outcome: Outcome) -> None:
    elapsed = datetime.now(UTC) - outcome.account.started
    outcome.account.report.seconds = round(elapsed.total_seconds(), 3)


class _ChunkWriter:
    """Collects whole pages and commits them when they are many, large or old enough."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._waiting: list[Batch] = []
        self._rows = self._bytes = 0
        self._since = monotonic()
        self._commit: asyncio.Task[None] | None = None

    async def add(self, batch: Batch) -> None:
        if batch.page.restart:
            await self._start_again()
        self._note(batch)
        self._waiting.append(batch)
        self._rows += len(batch.rows) + len(batch.rejects)
        self._bytes += batch.size
        if self._is_full() or monotonic() - self._since >= CHUNK_SECONDS:
            await self.flush()

    def _is_full(self) -> bool:
        return self._rows >= CHUNK_ROWS or self._bytes >= CHUNK_BYTES

    def _note(self, batch: Batch) -> None:
        account, page = self._outcome.account, batch.page
        account.report.stop_reason = page.stop_reason
        waiting = sum(other.page.fetched for other in self._waiting)
        announce(
            Progress(
                pages=page.number,
                fetched=account.report.records.fetched + waiting + page.fetched,
                rejected=account.report.records.rejected + len(batch.rejects),
                claimed=page.claimed,
            )
        )

    async def _start_again(self) -> None:
        outcome = self._outcome
        self._taken()
        if outcome.all_or_nothing:
            outcome.account.roll_back()
            await outcome.call(outcome.destination.abandon)
            await outcome.begin()
        outcome.account.restart()

    def _taken(self) -> list[Batch]:
        """Return what waits; nothing waits any more."""
        batches, self._waiting = self._waiting, []
        self._rows = self._bytes = 0
        return batches

    async def flush(self) -> None:
        """Commit what waits, in one transaction."""
        if not self._waiting:
            return
        batches = self._taken()
        self._commit = asyncio.create_task(self._committed(batches))
        await asyncio.shield(self._commit)
        self._since = monotonic()

    async def _committed(self, batches: list[Batch]) -> None:
        outcome, account = self._outcome, self._outcome.account
        cursors = [batch.page.cursor for batch in batches if batch.page.cursor is not None]
        for cursor in cursors:
            known = account.cursor
            account.cursor = cursor if known is None else outcome.higher(known, cursor)
        account.ties = batches[-1].page.ties
        chunk = Chunk(
            batches=batches,
            resume=lambda written: self._resume_point(batches, written),
            watermark=_watermark(outcome) if outcome.sorted else None,
            ties=account.ties,
            partitions=dict(each.page.partition for each in batches if each.page.partition),
            effects=[event for each in batches for event in each.page.effects],
        )
        account.add(batches, await outcome.call(outcome.destination.commit, chunk))

    def _resume_point(self, batches: list[Batch], written: Written) -> dict[str, Any] | None:
        """Return where a later run goes on, with the counts as this chunk leaves them.

        Empty pages that promise more are not yet proved to lead anywhere: a later run asks for
        them again.
        """
        outcome = self._outcome
        proved = [each.page for each in batches if each.page.fetched or each.page.resume is None]
        if outcome.resume_point is None or not proved:
            return None
        _, records = outcome.account.after(batches, written)
        table = outcome.account.table_after(written)
        point = outcome.resume_point(proved[-1], outcome.account, proved[-1].number, records, table)
        broken = [each.model_dump() for each in outcome.account.broken_after(batches)]
        return point | {"broken_rules": broken}

    async def rescue(self) -> None:
        """After a failure or Ctrl-C, keep the whole pages that had arrived before it.

        A commit that Ctrl-C met is waited for, so that the report counts it; one that failed is
        not tried again.
        """
        try:
            if self._commit is not None:
                await self._commit
            await self.flush()
        except AstrioError:
            return  # the first failure is the one to tell
