"""The pages that the last run has left in the table, as the present run meets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from astrio.tasks.unchanged.mark import Keys, Remembered

VERIFIED: Final = 20
"""One of so many unchanged pages is compared all the same, in each run another."""
MOST_TOUCHED: Final = 200_000
"""Keys of changed pages that are kept in mind; beyond, no page is skipped any more."""


def is_due(digest: bytes, turn: int) -> bool:
    """Whether the page is to be compared in this turn, whatever is known of it."""
    return (int.from_bytes(digest[:4]) + turn) % VERIFIED == 0


class KnownPages:
    """Decides page by page, in the order of the source, whether a page can be skipped.

    A page may be known and yet not be skipped: if a page before it, which has changed, holds one
    of its keys, it has to be written over that.
    """

    def __init__(self, pages: Mapping[bytes, Remembered] | None = None, turn: int = 0) -> None:
        """Take what is remembered, and whose turn it is to be compared."""
        self._pages = pages or {}
        self._turn = turn
        self._touched: set[int] | None = set()

    def find(self, digest: bytes) -> Remembered | None:
        """Return what is known of a page; None: it is new, has changed, or its turn has come."""
        known = self._pages.get(digest)
        return None if known is None or is_due(digest, self._turn) else known

    def stands(self, page: Remembered) -> bool:
        """Whether nothing that this run has looked at so far can have changed a row of the page."""
        if not self._touched:
            return self._touched is not None
        return page.keys is not None and self._touched.isdisjoint(page.keys)

    def touch(self, keys: Keys | None) -> None:
        """Note the keys of a page that is looked at; None: they might be any."""
        if self._touched is None or not self._pages:
            return
        if keys is None or len(self._touched) + len(keys) > MOST_TOUCHED:
            self._touched = None
        else:
            self._touched.update(keys)
