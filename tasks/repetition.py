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
        self._first: tuple[int, Sequence[Any], bytes] = (0, (), b"")
        self._last: tuple[int, Sequence[Any], bytes] = self._first
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
        for earlier, known, its_digest in (self._last, self._first):
            alike = bool(digest) and digest == its_digest
            unread = isinstance(records, Unread) or isinstance(known, Unread)
            if alike or (not unread and _same(records, known)):
                raise _repeated(f"Page {number} holds the same records as page {earlier}")
        self._last = (number, records, digest)
        if not self._first[1]:
            self._first = self._last

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


def _same(records: Sequence[Any], known: Sequence[Any]) -> bool:
    """Compare quickly first, by length and both ends."""
    return (
        len(records) == len(known)
        # Records of which little is decoded are compared by that first, in any case.
        and (isinstance(records, Projected) or records[0] == known[0])
        and (isinstance(records, Projected) or records[-1] == known[-1])
        and records == known
    )


def _repeated(what: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"{what}: the source would never end.",
        advice="Check paginate: the API may ignore its parameter, or call it by another name.",
    )
