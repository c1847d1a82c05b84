"""What every destination can do; the one contract behind `push`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from astrio.tasks.batch import Batch, Reject
from astrio.tasks.report import RunReport, TableChanges
from astrio.tasks.unchanged.known import KnownPages


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a destination remembers of a stream.

    Attributes:
        watermark: the incremental cursor value up to which everything is accounted for.
        resume: the unfinished run's resume point (JSON values), None if the last run ended.
        ties: the records at the watermark or above it that are written, by their content.
        profile: what is remembered of the fields in earlier runs.
        ended: the latest run that read the source to its end, None if there was none.
        unended: the runs that began after it, and have not.
        done: the report of a part that is read once, and has been.
        pages: those that stand in the table as they were read last; None: nobody has asked.
    """

    watermark: Any = None
    resume: dict[str, Any] | None = None
    ties: Mapping[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] | None = None
    ended: str | None = None
    unended: Sequence[str] = ()
    done: dict[str, Any] | None = None
    pages: KnownPages | None = None


@dataclass(slots=True)
class Written:
    """What became of a chunk's rows.

    `rejected` lists rows that cannot be stored by their own fault (an empty key), `failed` rows
    that the destination refused; both are in the quarantine. `filtered` counts rows that
    `push.contract` leaves out; `table` says so field by field, and how the table was changed.
    `deleted` counts the rows that records have marked or deleted, each of them written.
    """

    written: int = 0
    unchanged: int = 0
    rejected: list[Reject] = field(default_factory=list)
    failed: list[Reject] = field(default_factory=list)
    filtered: int = 0
    deleted: int = 0
    table: TableChanges = field(default_factory=TableChanges)


def _no_resume_point(written: Written) -> None:
    """Leave the stored resume point as it is."""


@dataclass(slots=True)
class Chunk:
    """What is committed in one transaction: rows, rejects, the resume point, maybe the watermark.

    Attributes:
        batches: whole pages, in order.
        resume: makes the new resume point (JSON values) from what became of the rows, so that
            its counts commit with them; returning None leaves the stored one as it is.
        watermark: the new watermark, None leaves the stored one as it is.
        partitions: new watermarks of parts of the source, by their keys.
        effects: events whose effect this chunk is.
        ties: what `StreamState.ties` becomes with the watermark.
    """

    batches: Sequence[Batch]
    resume: Callable[[Written], dict[str, Any] | None] = _no_resume_point
    watermark: Any = None
    partitions: Mapping[str, Any] = field(default_factory=dict)
    effects: Sequence[str] = ()
    ties: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who writes: the run's id and the integration's name.

    A run that resumes an earlier one goes on under that one's id (`Destination.adopt`).

    Attributes:
        started: when it began, UTC: what `now()` is to its mapping.
        mapping: names the version of its mapping and rules.
        pages: names all that decides what becomes of a page, where unchanged ones are to be known
            again; None: they are not.
    """

    run_id: str
    integration: str
    started: datetime | None = None
    mapping: str | None = None
    pages: str | None = None


class Destination(Protocol):
    """A place records are pushed to. Calls are blocking and come from one thread at a time.

    In mode `replace`, what `commit` writes is seen by nobody before `finish`, which lets it take
    the place of the old rows and sets `deleted` in the report's records; until then, and if the
    slice is abandoned, or the process killed, the old rows stay.
    """

    @property
    def renews_apart(self) -> bool:
        """Whether `renew` may be called from another thread while another call is at work."""
        ...

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Connect, create the state tables, take the stream's lease and return its state.

        Raises:
            LeaseHeldError: another live run holds the stream (unless `wait`).
            DestinationBusyError: it cannot be reached, or is locked.
        """
        ...

    def adopt(self, run_id: str, started: datetime | None = None) -> None:
        """Go on under the id, and with the clock, of the unfinished run that is being resumed."""
        ...

    def partitions(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the watermarks of those parts of the source that have one."""
        ...

    def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect already."""
        ...

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:
        """Start a slice; `atomic` keeps it in one transaction until `finish` or `abandon`.

        `whole` says that every record of the source is going to be read, so that what is not met
        has vanished from it.
        """
        ...

    def commit(self, chunk: Chunk) -> Written:
        """Write a chunk; all of it becomes durable, or nothing."""
        ...

    def finish(  # noqa: PLR0913 (what is stored is given by name)
        self,
        report: RunReport,
        *,
        watermark: Any = None,
        ties: Mapping[str, Any] | None = None,
        clear_resume: bool,
        reread: bool = False,
        profile: dict[str, Any] | None = None,
    ) -> None:
        """End the slice: keep the report, move the watermark if given, drop the resume point.

        `reread` says that every record of the source was read and written in this slice, so that
        columns added before are filled now; `profile` is to be remembered for the next run.
        """
        ...

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:
        """Roll back what is not committed and keep the failed run's report."""
        ...

    def renew(self) -> None:
        """Extend the lease. Raises LeaseHeldError when another run has taken it over."""
        ...

    def close(self) -> None:
        """Release the lease and disconnect; never raises."""
        ...
