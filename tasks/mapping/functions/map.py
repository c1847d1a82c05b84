"""map(list, item -> value): the value of an expression for each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from astrio.tasks.mapping.values import items

EXAMPLES = [
    ("map([1, 2], n -> n * 10)", [10, 20]),
    ("map([{sku: 'a', n: 2}], line -> {sku: upper(line.sku)})", [{"sku": "A"}]),
    ("map(null, n -> n)", None),
]
REJECTS = ["map('abc', sign -> sign)"]


def call(values: Any, each: Callable[[Any], Any]) -> list[Any] | None:
    """Compute them one by one."""
    return None if values is None else [each(value) for value in items("map()", values)]
