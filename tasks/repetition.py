"""Noticing that a source repeats itself, with memory for one page only (Brent's method)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest

MOST_EMPTY_PAGES = 100


class RepetitionGuard:
    """Compares each page with a remembered one, which is replaced at powers of two.

    Any cycle of requests is found after at most three times its length.
    """

    def __init__(self) -> None:
        self._request: dict[str, Any] | None = None
        self._records: Sequence[Any] = ()
        self._remembered = 0
        self._next_mark = 1
        self._empty = 0

    def look(self, number: int, records: Sequence[Any], following: ApiRequest | None) -> None:
        """Compare page `number` and the request that would follow it with what is remembered.

        Raises:
            ApiAnswerError: the page, or the way to the next one, repeats itself; or pages stay
                empty without an end.
        """
        if following is None:
            return
        asked = following.to_json()
        if self._remembered and asked == self._request:
            raise _repeated(f"Page {number} leads to the same next page as page {self._remembered}")
        if self._remembered and records and _same(records, self._records):
            raise _repeated(f"Page {number} holds the same records as page {self._remembered}")
        self._empty = 0 if records else self._empty + 1
        if self._empty >= MOST_EMPTY_PAGES:
            raise _repeated(f"{self._empty} pages in a row were empty, and still more are promised")
        if number >= self._next_mark:
            self._next_mark, self._remembered = 2 * number, number
            self._request, self._records = asked, records


def _same(records: Sequence[Any], earlier: Sequence[Any]) -> bool:
    """Compare quickly first, by length and both ends."""
    return (
        len(records) == len(earlier)
        and records[0] == earlier[0]
        and records[-1] == earlier[-1]
        and records == earlier
    )


def _repeated(what: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"{what}: the source would never end.",
        advice="Check paginate: the API may ignore its parameter, or call it by another name.",
    )
