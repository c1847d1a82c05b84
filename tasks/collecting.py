"""Python's search for reference cycles, made rarer while batches stream through a run.

A chunk of records is tens of thousands of live objects, none of them in a cycle: reference counts
free them. With Python's usual thresholds the collector walks all of them after every few pages,
which was 30 % of a run's CPU time (tests/benchmarks/pipeline.py).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from astrio.tasks.tuning import GC_OBJECTS

_before: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Iterator[None]:
    """Search for cycles rarely within the block; what the process has set stays if it is rarer.

    Runs in one process share it: the last one that ends restores what the first one found.
    """
    found = gc.get_threshold()
    _before.append(found)
    if 0 < found[0] < GC_OBJECTS:
        gc.set_threshold(GC_OBJECTS, *found[1:])
    try:
        yield
    finally:
        first = _before[0]
        _before.pop()
        if not _before:
            gc.set_threshold(*first)
