"""datetime(value): the time of an ISO 8601 text; without a zone of its own it is in the run's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_datetime

EXAMPLES = [
    ("datetime('2024-02-29T12:30:00Z')", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
    ("datetime('2024-02-29 12:30')", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
    ("datetime('2024-02-29')", datetime(2024, 2, 29, tzinfo=UTC)),
    ("datetime(null)", None),
]
REJECTS = ["datetime('noon')", "datetime(1709209800)"]


def call(value: Any, *, context: MappingContext) -> datetime | None:
    """Cast to a time with a zone."""
    return None if value is None else read_datetime("datetime()", value, context.zone)
