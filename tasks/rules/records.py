"""The mapped record as expressions see it: a row with dotted targets nested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from astrio.tasks.rules.field import Row


@lru_cache(256)
def record_maker(
    columns: tuple[str, ...], names: frozenset[str] | None, *, nested: bool
) -> Callable[[Row], dict[str, Any]]:
    """Return what turns a row into a record.

    Args:
        columns: the row's columns.
        names: the top-level names that are needed; None: all.
        nested: `customer.email` is the key `email` of the object `customer`; without a map a
            dot is a part of the key.
    """
    steps = [tuple(column.split(".")) if nested else (column,) for column in columns]
    wanted = [
        (place, path) for place, path in enumerate(steps) if names is None or path[0] in names
    ]
    if all(len(path) == 1 for _, path in wanted):
        flat = [(place, path[0]) for place, path in wanted]
        return lambda row: {name: row[place] for place, name in flat}
    return lambda row: _nested(row, wanted)


def _nested(row: Row, wanted: Sequence[tuple[int, tuple[str, ...]]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for place, path in wanted:
        inside = record
        for step in path[:-1]:
            below = inside.get(step)
            # A target `customer` beside `customer.email`: its object is the source's own.
            inside[step] = below = below.copy() if isinstance(below, dict) else {}
            inside = below
        inside[path[-1]] = row[place]
    return record
