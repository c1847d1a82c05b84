"""filter(list, item -> condition): the elements for which a condition holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [
    ("filter([1, 5, 3], n -> n > 2)", [5, 3]),
    ("filter([{ok: true}, {}], line -> line.ok)", [{"ok": True}]),
    ("filter(null, n -> n)", None),
]
REJECTS = ["filter('abc', sign -> true)"]


def call(values: Any, holds: Callable[[Any], Any]) -> list[Any] | None:
    """Leave out the others."""
    if values is None:
        return None
    return [value for value in items("filter()", values) if holds(value)]
