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

    One that the last run has written stays among them while the watermark does not pass it, even
    where this run does not read it: a run that only ends what another one began reads nothing.

    Attributes:
        current: the cursor of each such record, by the hash of its content.
    """

    def __init__(
        self,
        known: Mapping[str, Any],
        current: Mapping[str, Any] | None = None,
        end: Any = None,
        watermark: Any = None,
    ) -> None:
        """Take what there is so far.

        Args:
            known: what the last run has left.
            current: what the earlier part of this run has left.
            end: the end of the window.
            watermark: the one that `known` belongs to; None: it is not gone on from.
        """
        self._known = known
        self._cursors = {str(value) for value in known.values()}
        self._end = end
        self._watermark = watermark
        self.current: dict[str, Any] = {**known, **(current or {})}
        self._top = highest([value for key, value in (current or {}).items() if key not in known])

    def fresh(self, records: list[Any], cursors: list[Any]) -> list[bool]:
        """Return for each record whether it is new, and remember those at the boundary.

        Args:
            records: a page's records.
            cursors: their cursors, None where there is none.
        """
        new = [self._is_new(*pair) for pair in zip(records, cursors, strict=True)]
        self._top = highest([*cursors, self._top])
        if self._top is None:
            return new
        bound = parse_cursor(advance(self._watermark, self._top, self._end))
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
