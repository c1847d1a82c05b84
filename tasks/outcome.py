"""Where a run's records end up, and by which rules the run closes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from astrio.tasks.account import Account
from astrio.tasks.batch import Page
from astrio.tasks.destinations.base import Destination
from astrio.tasks.quality.settings import QualitySettings
from astrio.tasks.report import Records, TableChanges

T = TypeVar("T")
ResumePoint = Callable[[Page, Account, int, Records, TableChanges | None], dict[str, Any]]


@dataclass(eq=False)
class Outcome:
    """The destination side of a run.

    Attributes:
        destination: opened, with the stream's lease taken.
        account: the run's counts.
        resume_point: makes the resume point to store from the chunk's last page and the counts
            up to it; None: the position does not survive a crash, so none is kept.
        advance: the new watermark from the highest cursor seen; None: it does not move.
        higher: the higher of two cursor values.
        cursor: name of the cursor field, for the report.
        atomic: the slice stays in one transaction.
        staged: what is written is seen at the end, or not at all.
        replaces: it takes the place of all that was there before (`replace`).
        sorted: the watermark moves with each chunk.
        quality: the thresholds of `quality:`.
        earlier: what is remembered of the fields in earlier runs.
        reread: every record of the source is read, and written over the row that it has.
        whole: every record of the source is read, so that rows that are not met have vanished.
        apart: the records are not the stream's own reading (a replay): its resume point stays.
        finished: the destination has ended the slice: nothing of it can be taken back.
    """

    destination: Destination
    account: Account
    resume_point: ResumePoint | None = None
    advance: Callable[[Any], Any] | None = None
    higher: Callable[[Any, Any], Any] = max
    cursor: str | None = None
    atomic: bool = False
    staged: bool = False
    replaces: bool = False
    sorted: bool = False
    quality: Sequence[QualitySettings] = ()
    earlier: dict[str, Any] | None = None
    reread: bool = False
    whole: bool = False
    apart: bool = False
    finished: bool = False
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="destination")
    )

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call the destination in its own thread; a call once begun is always finished."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(
            loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))
        )

    @property
    def all_or_nothing(self) -> bool:
        """Whether what is committed counts only once the slice is finished."""
        return self.atomic or self.staged

    async def begin(self) -> None:
        """Start the slice."""
        whole = {"whole": True} if self.whole else {}
        await self.call(self.destination.begin_slice, atomic=self.atomic, **whole)

    async def finish(self, **how: Any) -> None:
        """End the slice with the account's report; `finished` is right even if Ctrl-C meets it.

        What the destination has counted as deleted, it has not if its end fails.
        """
        records = self.account.report.records

        def finish() -> None:
            deleted = records.deleted
            try:
                self.destination.finish(self.account.report, **how)
            except BaseException:
                records.deleted = deleted
                raise
            self.finished = True

        await self.call(finish)

    async def settle(self) -> None:
        """Wait for the call that Ctrl-C has left at work, if there is one."""
        self.interrupt()
        await self.call(lambda: None)

    def interrupt(self) -> None:
        """Let a destination that may take long for a chunk end early what it is at."""
        interrupt = getattr(self.destination, "interrupt", None)
        if interrupt is not None:
            interrupt()

    async def renew(self) -> None:
        """Extend the lease, beside a long call where the destination is able to."""
        if self.destination.renews_apart:
            await asyncio.to_thread(self.destination.renew)
        else:
            await self.call(self.destination.renew)

    async def close(self) -> None:
        """Release the lease and disconnect."""
        self.interrupt()
        await self.call(self.destination.close)
        self._thread.shutdown(wait=False)
