"""epoch(time): the seconds since 1 January 1970 UTC, a whole number; fractions are dropped.

A time without a zone of its own is in the run's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_datetime

EXAMPLES = [
    ("epoch('2024-02-29T12:30:00Z')", 1709209800),
    ("epoch('2024-02-29')", 1709164800),
    ("epoch(null)", None),
]
REJECTS = ["epoch('noon')", "epoch(1)"]
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def call(value: Any, *, context: MappingContext) -> int | None:
    """Count the seconds."""
    if value is None:
        return None
    return (read_datetime("epoch()", value, context.zone) - _START) // timedelta(seconds=1)
