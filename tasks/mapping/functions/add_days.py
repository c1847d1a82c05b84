"""add_days(date, days): the date, or time, so many days later; earlier if negative."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_moment
from astrio.tasks.mapping.values import reject, whole

EXAMPLES = [
    ("add_days('2024-02-28', 2)", date(2024, 3, 1)),
    ("add_days('2024-02-28T12:00:00Z', -1)", datetime(2024, 2, 27, 12, tzinfo=UTC)),
    ("add_days(null, 1)", None),
    ("add_days('2024-02-28', null)", None),
]
REJECTS = [
    "add_days('soon', 1)",
    "add_days('2024-02-28', 0.5)",
    "add_days('2024-02-28', 1000000000000)",
]


def call(value: Any, days: Any, *, context: MappingContext) -> date | None:
    """Count on."""
    if value is None or days is None:
        return None
    moment = read_moment("add_days()", value, context.zone)
    try:
        return moment + timedelta(days=whole("add_days()", days))
    except OverflowError:
        reject("add_days() leaves the range of dates")
