"""What the quarantine and the state of a stream look like from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict


class QuarantineRow(TypedDict):
    """One quarantined record, as `astrio quarantine list --json` prints it."""

    id: int
    integration: str
    key: str | None
    field: str | None
    rule: str
    reason: str
    run: str
    first_seen: str
    seen: int
    state: str
    destination: NotRequired[str]
    """The table, where the integration has several destinations."""


class AddedColumn(TypedDict):
    """A column that is null in the rows written before `since`: it is not backfilled."""

    column: str
    kind: str
    since: str
    run: str


class PartStatus(TypedDict):
    """Where a part of a stream stands, such as a partition."""

    part: str
    watermark: Any
    unfinished: bool
    running: str | None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Where a stream stands.

    Attributes:
        watermark: the incremental cursor value up to which everything is accounted for.
        unfinished: a run has ended in the middle; the next one resumes it.
        quarantined: open rows in the quarantine.
        holder: the run at work (process, host, since when), None if there is none.
        unfilled: columns of the table that were added later and never backfilled.
        parts: parts that have a state of their own: partitions, chunks that were begun.
        last_run: the latest run's report (`last_runs`), None if there was none.
    """

    watermark: Any = None
    unfinished: bool = False
    quarantined: int = 0
    holder: str | None = None
    last_run: dict[str, Any] | None = None
    unfilled: Sequence[AddedColumn] = ()
    parts: Sequence[PartStatus] = ()
