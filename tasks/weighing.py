"""How large records are that did not come as bytes, about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import getsizeof
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def weight(record: Any) -> int:
    """Return a record's size in bytes: as JSON, or of its values where they are none.

    A fast encoder tells it sooner than Python adds it up. What nests inside a record that is no
    JSON is not counted.
    """
    try:
        return len(_ENCODER.encode(record))
    except (TypeError, ValueError, OverflowError, RecursionError):
        values = record.values() if isinstance(record, Mapping) else (record,)
        return sum(map(getsizeof, values))


def weights(records: Iterable[Any]) -> int:
    """Return the size of several records in bytes."""
    return sum(map(weight, records))
