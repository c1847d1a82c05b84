"""A part of a stream: it has a lease, a resume point and a watermark of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from astrio.blocks.errors import LeaseHeldError


@dataclass(frozen=True, slots=True)
class Part:
    """What of a stream a run reads and writes: all of it, a partition, or a chunk of a backfill.

    Attributes:
        path: names from the outside in: `("store=a", "2026-01-01..2026-01-02")`; empty: all of it.
        once: it is read once. Its report is kept under this name, by which a later run knows that
            it is done; its resume point goes with its end. Empty: it is read again and again.
        columns: only these fields are written, of rows that are there; empty: whole rows.
        yields: while another run has this very part, it is left to that one rather than waited for.
    """

    path: tuple[str, ...] = ()
    once: str = ""
    columns: tuple[str, ...] = ()
    yields: bool = False


WHOLE: Final = Part()


class PartTakenError(LeaseHeldError):
    """Another run has this very part of the stream, or has taken it over and ended since."""


@runtime_checkable
class Divisible(Protocol):
    """A destination that several parts of a stream may be written to at once."""

    def only(self, part: Part) -> None:
        """Let this opening be one of that part; called before `open`."""
        ...


def kept(report: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a report of a part that is done: figures, and nothing of values."""
    left_out = ("fields", "profiled", "drift", "difference", "quality")
    return {name: value for name, value in report.items() if name not in left_out}
