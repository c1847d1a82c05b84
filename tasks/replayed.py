"""Quarantined records on their way through the chain once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from astrio.tasks.batch import Page


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the quarantine keeps it.

    Attributes:
        id: of its row.
        identity: its key, or a hash of its content.
        has_key: which of the two.
        rule: what it was rejected by.
        reason: why.
        record: the source record, None if it is missing.
        missing: why it is not there, None if it is.
        started: when the run began that rejected it, UTC; None: it is not known.
    """

    id: int
    identity: str
    has_key: bool
    rule: str
    reason: str
    record: Any
    missing: str | None
    started: datetime | None


@dataclass(slots=True, eq=False)
class ReplayedPage(Page):
    """A page of quarantined records, all rejected by runs that began at the same moment.

    Attributes:
        stored: the page's records, filtered ones too, with the rows that hold them. The records
            are the very objects that travel on, by which each reject is told to be of its row.
        started: their clock; None: it is not known.
    """

    stored: Sequence[Stored] = ()
    started: datetime | None = None
