"""first(list): the list's first element; null if the list is empty."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [("first(['a', 'b'])", "a"), ("first([])", None), ("first(null)", None)]
REJECTS = ["first('abc')"]


def call(values: Any) -> Any:
    """Take the element."""
    return None if values is None or not items("first()", values) else values[0]
