"""count(list): how many elements are not null; 0 for null itself, as SQL counts."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [("count([1, null, 3])", 2), ("count([])", 0), ("count(null)", 0)]
REJECTS = ["count('abc')"]


def call(values: Any) -> int:
    """Count."""
    if values is None:
        return 0
    return sum(value is not None for value in items("count()", values))
