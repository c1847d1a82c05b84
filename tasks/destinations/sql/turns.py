"""Rows in turns, for statements that meet each key once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from astrio.tasks.destinations.sql.dialect import Target

Rows = Sequence[tuple[Any, ...]]


def by_turns(target: Target, rows: Rows) -> Iterator[Rows]:
    """Yield the rows in turns in which no key comes twice: one statement takes each key once."""
    keys = list(map(itemgetter(*map(target.columns.index, target.key)), rows))
    if len(set(keys)) == len(keys):
        yield rows
        return
    turns: list[list[tuple[Any, ...]]] = []
    seen = Counter[Any]()
    for key, row in zip(keys, rows, strict=True):
        if seen[key] == len(turns):
            turns.append([])
        turns[seen[key]].append(row)
        seen[key] += 1
    yield from turns
