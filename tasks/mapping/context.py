"""What an expression may know besides its record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property


@dataclass(frozen=True)
class MappingContext:
    """The clock and the zone, passed in so that a replay gives the same result.

    Attributes:
        now: the run's start, with its zone.
        zone: where dates and times without a zone of their own are taken to be.
    """

    now: datetime
    zone: tzinfo = UTC

    @cached_property
    def today(self) -> date:
        """The day of the run's start, in the zone."""
        return self.now.astimezone(self.zone).date()
