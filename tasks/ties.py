"""Ties at the boundary of two runs: records that are written, and that the next run reads again.

A run begins at the watermark itself, since records with the same cursor may have come since. Where
rows are only added, those that are written already must be known again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from astrio.tasks.cursors import highest, parse_cursor
from astrio.tasks.incremental import advance

_encoder: Final = msgspec.json.Encoder(order="sorted")


class Ties:
    """The records at or above the watermark-to-be, by their content.

    Attributes:
        current: the cursor of each such record of this run, by the hash of its content.
    """

    def __init__(
        self, known: Mapping[str, Any], current: Mapping[str, Any] | None = None, end: Any = None
    ) -> None:
        """Take what the last run has written, what this one has so far, and the window's end."""
        self._known = known
        self._cursors = {str(value) for value in known.values()}
        self._end = end
        self.current: dict[str, Any] = dict(current or {})

    def fresh(self, records: list[Any], cursors: list[Any]) -> list[bool]:
        """Return for each record whether it is new, and remember those at the boundary.

        Args:
            records: a page's records.
            cursors: their cursors, None where there is none.
        """
        new = [self._is_new(*pair) for pair in zip(records, cursors, strict=True)]
        top = highest([*cursors, *self.current.values()])
        if top is None:
            return new
        bound = parse_cursor(advance(None, top, self._end))
        self.current = {
            key: value for key, value in self.current.items() if parse_cursor(value) >= bound
        }
        for record, value in zip(records, cursors, strict=True):
            if highest([value]) is not None and parse_cursor(value) >= bound:
                self.current[_hash(record)] = value
        return new

    def _is_new(self, record: Any, cursor: Any) -> bool:
        if cursor is None or str(cursor) not in self._cursors:
            return True
        return _hash(record) not in self._known


def _hash(record: Any) -> str:
    return hashlib.blake2b(_encoder.encode(record), digest_size=16).hexdigest()
