"""flatten(list): the elements of the lists in it, one after the other; nulls are left out."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [
    ("flatten([[1, 2], [3], null])", [1, 2, 3]),
    ("flatten([1, [[2]]])", [1, [2]]),
    ("flatten(null)", None),
]
REJECTS = ["flatten('abc')"]


def call(values: Any) -> list[Any] | None:
    """Take away one level."""
    if values is None:
        return None
    flat: list[Any] = []
    for value in items("flatten()", values):
        if isinstance(value, list):
            flat += value
        elif value is not None:
            flat.append(value)
    return flat
