"""diff_days(from, to): how many days lie between two dates; negative if `to` is the earlier.

Of times only the day counts, as it is written in their own zone.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.dates import read_date

EXAMPLES = [
    ("diff_days('2024-02-28', '2024-03-01')", 2),
    ("diff_days('2024-03-01T23:00:00Z', '2024-02-28')", -2),
    ("diff_days(null, '2024-02-28')", None),
]
REJECTS = ["diff_days('soon', '2024-02-28')"]


def call(start: Any, end: Any) -> int | None:
    """Count the days."""
    if start is None or end is None:
        return None
    return (read_date("diff_days()", end) - read_date("diff_days()", start)).days
