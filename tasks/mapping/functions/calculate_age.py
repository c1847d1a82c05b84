"""calculate_age(birth_date): full years from a birth date to the day of the run's start.

Takes an ISO 8601 date, or the day of a date and time. Whoever is born on 29 February turns a
year older on 1 March where there is no such day.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_date
from astrio.tasks.mapping.values import reject

EXAMPLES = [
    ("calculate_age('1990-01-02')", 36),
    ("calculate_age('1990-01-03')", 35),
    ("calculate_age('1990-01-02T15:00:00Z')", 36),
    ("calculate_age(null)", None),
]
"""As on 2 January 2026."""
REJECTS = ["calculate_age('yesterday')", "calculate_age('2026-01-03')", "calculate_age(1990)"]


def call(birth_date: Any, *, context: MappingContext) -> int | None:
    """Count the full years."""
    if birth_date is None:
        return None
    born, today = read_date("calculate_age()", birth_date), context.today
    if born > today:
        reject("calculate_age(): the birth date lies in the future")
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
