"""Which records a destination has already, where rows are only added and others are behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.cursors import highest, parse_cursor
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.ties import Ties


class Gate:
    """Lets those records through that one destination does not have yet, by their cursor.

    The reading begins where the least advanced destination needs it to; this one has what lies
    below its own start, and knows the records at its watermark by their content.
    """

    def __init__(self, cursor: CursorReader, ties: Ties, start: Any = None) -> None:
        """Take what reads cursors, what knows records again, and the lower bound, if there is one.

        Args:
            cursor: reads the cursors of records; without a bound of its own.
            ties: the records at the watermark.
            start: the start of this destination's own window, where the reading begins below it.
        """
        self._cursor = cursor
        self._ties = ties
        self._bound = None if start is None else parse_cursor(start)

    @property
    def ties(self) -> dict[str, Any]:
        """The records at the boundary of the next run, by their content."""
        return self._ties.current

    def fresh(self, records: Sequence[Any]) -> list[bool]:
        """Return for each record whether this destination needs it."""
        values = self._cursor.read(list(records)).values
        new = self._ties.fresh(list(records), values)
        return [yes and self._is_within(value) for yes, value in zip(new, values, strict=True)]

    def _is_within(self, value: Any) -> bool:
        if self._bound is None or highest([value]) is None:
            return True
        return parse_cursor(value) >= self._bound


Gating = Callable[[StreamState, dict[str, Any] | None], Gate]
"""Makes a destination's gate from what it remembers, and from the ties of the resumed run."""
