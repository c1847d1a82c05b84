"""date(value): the day of an ISO 8601 date, or of a date and time as written in its own zone."""

from __future__ import annotations

from datetime import date
from typing import Any

from astrio.tasks.mapping.dates import read_date

EXAMPLES = [
    ("date('2024-02-29')", date(2024, 2, 29)),
    ("date('2024-02-29T23:30:00-05:00')", date(2024, 2, 29)),
    ("date('2024-02-29') < date('2024-03-01')", True),
    ("date(null)", None),
]
REJECTS = ["date('29.02.2024')", "date('2023-02-29')", "date('')", "date(20240229)"]


def call(value: Any) -> date | None:
    """Cast to a date."""
    return None if value is None else read_date("date()", value)
