"""What is computed for each element of a list, within bounds: no expression may run away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from astrio.tasks.mapping.values import MAX_TEXT, reject

ALLOWANCE: Final = MAX_TEXT
"""What one record's expressions may spend on elements: ten for each, and the size of results."""
_EACH: Final = 10


def counted(spent: list[int], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function, which rejects the record once the allowance is spent.

    Args:
        spent: what is left, as its only element.
        function: computes an element's value.
    """

    def each(value: Any) -> Any:
        result = function(value)
        spent[0] -= _EACH
        _charge(spent, result)
        return result

    return each


def _charge(spent: list[int], value: Any) -> None:
    if isinstance(value, str):
        spent[0] -= len(value)
    if spent[0] < 0:
        reject("the expression computes more than ten million characters or elements")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    spent[0] -= len(value)
    for below in value:
        _charge(spent, below)
