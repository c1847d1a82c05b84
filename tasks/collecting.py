"""Python's search for reference cycles: rare while batches stream, hardly any while a run starts.

A chunk of records is tens of thousands of live objects, none of them in a cycle: reference counts
free them. With Python's usual thresholds the collector walks all of them after every few pages,
which was 30 % of a run's CPU time (tests/benchmarks/pipeline.py).

Starting is much the same: modules, classes and schemas are made, and stay. Searching them again
and again took a quarter of a second of CPU, and once more when the process ended.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from astrio.tasks.tuning import GC_OBJECTS, GC_OBJECTS_AT_START

_before: list[tuple[int, int, int]] = []
_starting: list[tuple[int, int, int]] = []


@contextmanager
def rare_collections() -> Iterator[None]:
    """Search for cycles rarely within the block; what the process has set stays if it is rarer.

    Runs in one process share it: the last one that ends restores what the first one found.
    """
    if _starting:  # that is over now, and what it has made stays
        gc.freeze()
        gc.set_threshold(*_starting.pop())
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


@contextmanager
def starting() -> Iterator[None]:
    """Search for hardly any cycles while a program starts: at most until the block is left.

    It ends earlier where `rare_collections` is entered within the block.
    """
    found = gc.get_threshold()
    begins = not _starting and 0 < found[0] < GC_OBJECTS_AT_START
    if begins:
        _starting.append(found)
        gc.set_threshold(GC_OBJECTS_AT_START, *found[1:])
    try:
        yield
    finally:
        if begins and _starting:
            gc.set_threshold(*_starting.pop())
        elif begins:
            gc.unfreeze()
