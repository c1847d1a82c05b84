"""to_utc(time): the same moment in UTC; a time without a zone of its own is in the run's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_datetime
from astrio.tasks.mapping.values import reject

EXAMPLES = [
    ("to_utc('2024-02-29T12:30:00+02:00')", datetime(2024, 2, 29, 10, 30, tzinfo=UTC)),
    ("to_utc('2024-02-29 12:30')", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
    ("to_utc(null)", None),
]
REJECTS = ["to_utc('noon')", "to_utc(1)", "to_utc('0001-01-01T00:00:00+02:00')"]


def call(value: Any, *, context: MappingContext) -> datetime | None:
    """Change the zone."""
    if value is None:
        return None
    try:
        return read_datetime("to_utc()", value, context.zone).astimezone(UTC)
    except OverflowError:
        reject("to_utc() leaves the range of dates")
