"""A set of allowed values, compared as expressions compare: without casts, and true is not 1."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any


class Choices:
    """The values of `in:` or `exists_in:`, looked up by hash."""

    def __init__(self, values: Iterable[Any], *, texts_only: bool = False) -> None:
        """Take the values: texts, numbers, true and false; nulls are left out.

        Args:
            values: as the file lists them.
            texts_only: they come from a file that knows nothing but texts (CSV), so a whole
                number is looked up as its digits.

        Raises:
            TypeError: one is a list or an object.
        """
        listed = [value for value in values if value is not None]
        if any(isinstance(value, list | tuple | dict) for value in listed):
            raise TypeError
        self._others = frozenset(each for each in listed if not isinstance(each, bool))
        self._flags = frozenset(each for each in listed if isinstance(each, bool))
        self._texts_only = texts_only

    def __contains__(self, value: Any) -> bool:
        """Whether the value is among them; a date is looked up as its text."""
        if isinstance(value, str):
            return value in self._others
        if isinstance(value, bool):
            return value in self._flags
        if isinstance(value, date):
            return value.isoformat() in self._others
        if isinstance(value, int) and self._texts_only:
            return str(value) in self._others
        return isinstance(value, int | float | Decimal) and value in self._others

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._others) + len(self._flags)
