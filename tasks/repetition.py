"""Noticing that a source repeats itself or leads nowhere, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.projected import Projected
from astrio.tasks.unchanged.unread import Unread

MOST_EMPTY_PAGES = 100
_MOST_REMEMBERED = 50_000
_COMPARED = 16


class RepetitionGuard:
    """Watches the way from page to page.

    The requests of the last 50,000 pages are remembered by their hash; a longer cycle is found by
    Brent's method, which remembers one request and replaces it at powers of two. A page is
    compared with the one before it and with the first: a server that ignores its parameter sends
    the same page again, and one that wraps around begins anew.
    """

    def __init__(
        self,
        first: ApiRequest,
        before: int = 0,
        *,
        positions: bool = True,
        records: bool = True,
    ) -> None:
        """Take the request that the reading begins with, and how many pages came before it.

        Args:
            first: the request.
            before: the pages.
            positions: no request may lead on twice.
            records: no page may hold the same records as the one before, or as the first.
        """
        self._positions = positions
        self._records = records
        self._seen: dict[int, int] = {hash(first.identity()): before}
        self._marked = b""
        self._marked_page = 0
        self._first = self._last = _Known(0, ())
        self._count = 0
        self._empty = 0

    def look(
        self,
        number: int,
        records: Sequence[Any],
        following: ApiRequest | None,
        digest: bytes = b"",
    ) -> None:
        """Look at page `number` and at the request that would follow it.

        Where records are not decoded, as they are known, their `digest` stands for them.

        Raises:
            ApiAnswerError: the page, or the way to the next one, repeats itself; or pages stay
                empty without an end.
        """
        self._count += 1
        self._compare_records(number, records, digest)
        if following is None:
            return
        if self._positions:
            self._compare_request(number, following.identity())
        self._empty = 0 if records else self._empty + 1
        if self._empty >= MOST_EMPTY_PAGES:
            raise ApiAnswerError(
                f"{self._empty} pages in a row are empty, and still more are promised.",
                advice="Check paginate (next, has_more) and the path of `records`.",
            )

    def _compare_records(self, number: int, records: Sequence[Any], digest: bytes) -> None:
        if not records or not self._records:
            return
        seen = _Known(number, records, digest)
        for known in (self._last, self._first):
            if seen.same(known):
                raise _repeated(f"Page {number} holds the same records as page {known.number}")
        self._last = seen
        if not self._first.records:
            self._first = seen

    def _compare_request(self, number: int, identity: bytes) -> None:
        key = hash(identity)
        earlier = self._seen.get(key)
        if earlier is not None or identity == self._marked:
            page = self._marked_page if earlier is None else earlier
            raise _repeated(f"Page {number} leads back to where page {page + 1} was")
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        self._seen[key] = number
        if self._count & (self._count - 1) == 0:
            self._marked, self._marked_page = identity, number


class _Known:
    """A page that others are compared with, quickly first: by some of its records.

    Of records that were decoded in part only, these parts are not kept: they are let go at once
    where they have been mapped, which takes less time than later.
    """

    __slots__ = ("_shape", "_some", "digest", "number", "records")

    def __init__(self, number: int, records: Sequence[Any], digest: bytes = b"") -> None:
        self.number = number
        self.digest = digest
        self._shape = None
        self._some: Sequence[Any] = ()
        self.records = records
        if isinstance(records, Unread) or not records:
            return
        places = [*range(0, len(records), -(-len(records) // _COMPARED)), -1]
        if isinstance(records, Projected):
            self._shape = records.shape
            self._some, self.records = records.some(places), records.deferred()
        else:
            self._some = [records[place] for place in places]

    def same(self, known: _Known) -> bool:
        """Whether it holds the same records; of such as were not decoded, the digest tells."""
        if self.digest and self.digest == known.digest:
            return True
        if len(self.records) != len(known.records) or not (self._some and known._some):
            return False
        if self._shape is known._shape and self._some != known._some:
            return False
        return list(self.records) == list(known.records)


def _repeated(what: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"{what}: the source would never end.",
        advice="Check paginate: the API may ignore its parameter, or call it by another name.",
    )
