"""What a destination has of a chunk that others may not have: told by content, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any


class Known:
    """The records of the last chunk, of which one may be read again after a crash.

    Whether the pages are cut in another way by then, or hold other records, does not matter. A
    record that the source tells twice is known as often as it was written.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Take what was stored (`names`) with the chunk."""
        self._left = Counter(names)

    def fresh(self, names: Sequence[str]) -> list[bool]:
        """Return for each record whether it is not there yet; each is known once."""
        return [not self._takes(name) for name in names]

    def _takes(self, name: str) -> bool:
        known = self._left[name] > 0
        if known:
            self._left[name] -= 1
        return known

    def __bool__(self) -> bool:
        """Whether any record is left that may come."""
        return self._left.total() > 0

    def names(self) -> list[str]:
        """Return what is left, to be stored with the next chunk."""
        return list(self._left.elements())


def name_of_record(record: Any) -> str:
    """Return a short name for a record's content."""
    return blake2b(repr(record).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
