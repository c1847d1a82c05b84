"""min(value, …): the smallest of the values, or of a list's; nulls are skipped.

Numbers are compared with numbers, texts with texts, dates with dates; null if there is none.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.ordering import comparable, spread

EXAMPLES = [
    ("min(3, 1, null)", 1),
    ("min(['b', 'a'])", "a"),
    ("min('2024-01-01', '2024-02-01')", "2024-01-01"),
    ("min([])", None),
    ("min(null)", None),
]
REJECTS = ["min(1, 'a')", "min(true, false)", "min([[1]])"]


def call(*values: Any) -> Any:
    """Find the smallest."""
    return min(comparable("min()", spread(values)), default=None)
