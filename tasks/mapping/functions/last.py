"""last(list): the list's last element; null if the list is empty."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [("last(['a', 'b'])", "b"), ("last([])", None), ("last(null)", None)]
REJECTS = ["last('abc')"]


def call(values: Any) -> Any:
    """Take the element."""
    return None if values is None or not items("last()", values) else values[-1]
