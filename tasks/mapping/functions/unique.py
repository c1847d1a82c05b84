"""unique(list): each value once, where it first stands."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.ordering import identity
from astrio.tasks.mapping.values import items

EXAMPLES = [
    ("unique(['b', 'a', 'b'])", ["b", "a"]),
    ("unique([1, 1.0, true, null, null])", [1, True, None]),
    ("unique([[1], [1]])", [[1]]),
    ("unique(null)", None),
]
REJECTS = ["unique('abc')"]


def call(values: Any) -> list[Any] | None:
    """Leave out what came before."""
    if values is None:
        return None
    seen: dict[Any, Any] = {}
    for value in items("unique()", values):
        seen.setdefault(identity(value), value)
    return list(seen.values())
