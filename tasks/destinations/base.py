"""What every destination can do; the one contract behind `push`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from astrio.tasks.batch import Batch, Reject
from astrio.tasks.report import RunReport


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a destination remembers of a stream.

    Attributes:
        watermark: the incremental cursor value up to which everything is accounted for.
        resume: the unfinished run's resume point (JSON values), None if the last run ended.
    """

    watermark: Any = None
    resume: dict[str, Any] | None = None


@dataclass(slots=True)
class Chunk:
    """What is committed in one transaction: rows, rejects, the resume point, maybe the watermark.

    Attributes:
        batches: whole pages, in order.
        resume: the new resume point (JSON values); None leaves the stored one as it is.
        watermark: the new watermark, None leaves the stored one as it is.
    """

    batches: Sequence[Batch]
    resume: dict[str, Any] | None = None
    watermark: Any = None


@dataclass(slots=True)
class Written:
    """What became of a chunk's rows; `failed` lists rows that the destination refused."""

    written: int = 0
    unchanged: int = 0
    failed: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who writes: the logical run (kept when resumed) and the integration's name."""

    run_id: str
    integration: str


class Destination(Protocol):
    """A place records are pushed to. Calls are blocking and come from one thread at a time."""

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Connect, create the state tables, take the stream's lease and return its state.

        Raises:
            LeaseHeldError: another live run holds the stream (unless `wait`).
            DestinationBusyError: it cannot be reached, or is locked.
        """
        ...

    def begin_slice(self, *, atomic: bool) -> None:
        """Start a slice; `atomic` keeps it in one transaction until `finish` or `abandon`."""
        ...

    def commit(self, chunk: Chunk) -> Written:
        """Write a chunk; all of it becomes durable, or nothing."""
        ...

    def finish(self, report: RunReport, *, watermark: Any = None, clear_resume: bool) -> None:
        """End the slice: keep the report, move the watermark if given, drop the resume point."""
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
