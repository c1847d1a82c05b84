"""sort(list, item -> value): in ascending order, by the values or by what they give; nulls last.

Numbers are compared with numbers, texts with texts, dates with dates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from astrio.tasks.mapping.ordering import comparable
from astrio.tasks.mapping.values import items

EXAMPLES = [
    ("sort([3, 1, null, 2])", [1, 2, 3, None]),
    ("sort([{n: 2}, {n: 1}], item -> item.n)", [{"n": 1}, {"n": 2}]),
    ("sort(null)", None),
]
REJECTS = ["sort([1, 'a'])", "sort('cab')"]


def call(values: Any, by: Callable[[Any], Any] | None = None) -> list[Any] | None:
    """Sort; equal ones keep their order."""
    if values is None:
        return None
    given = list(items("sort()", values))
    keys = given if by is None else [by(value) for value in given]
    comparable("sort()", keys)
    places = sorted(
        (place for place, key in enumerate(keys) if key is not None),
        key=lambda place: keys[place],
    )
    last = [place for place, key in enumerate(keys) if key is None]
    return [given[place] for place in (*places, *last)]
