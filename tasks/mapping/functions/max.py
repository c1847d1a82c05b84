"""max(value, …): the largest of the values, or of a list's; nulls are skipped.

Numbers are compared with numbers, texts with texts, dates with dates; null if there is none.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.ordering import comparable, spread

EXAMPLES = [
    ("max(3, 1, null)", 3),
    ("max(['b', 'a'])", "b"),
    ("max('2024-01-01', '2024-02-01')", "2024-02-01"),
    ("max([])", None),
    ("max(null)", None),
]
REJECTS = ["max(1, 'a')", "max(true, false)", "max([[1]])"]


def call(*values: Any) -> Any:
    """Find the largest."""
    return max(comparable("max()", spread(values)), default=None)
