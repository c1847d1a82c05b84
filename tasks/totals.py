"""The total that an API claims: read from page to page, and not believed where it cannot be."""

from __future__ import annotations

from typing import Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.paginate.base import Paginator
from astrio.tasks.paths import compile_path
from astrio.tasks.shapes import describe


class ClaimedTotal:
    """How many records the API says there are.

    Attributes:
        claimed: the total, None: the API names none, or it stands for "at least so many".
        named: the number as it stands in the last answer.
        fell: it became smaller from page to page of a source whose pages are counted, where a
            record that is deleted lets another one slip onto a page that was read already.
    """

    def __init__(self, paginator: Paginator, known: int | None = None) -> None:
        """Take the paginator that says where the total stands, and what is known of it."""
        self._path = None if paginator.total is None else compile_path(paginator.total)
        self._paginator = paginator
        self.claimed = known
        self.named = known
        self.fell = False

    def read(self, body: Any) -> None:
        """Look at an answer.

        Raises:
            ApiAnswerError: there is no number where the total must be.
        """
        if self._path is None:
            return
        total = _number(self._path.first(body))
        if total is None and self.named is not None:
            return  # some APIs name the total on the first page only
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise ApiAnswerError(
                f"The total at {self._paginator.total} is missing, or no number: "
                f"{describe(total)} is there.",
                advice="Correct paginate.total, or leave it out.",
            )
        if self._paginator.counts and self.claimed is not None and total < self.claimed:
            self.fell = True
        most = self._paginator.total_saturates
        self.named = total
        self.claimed = None if most is not None and total >= most else total


def _number(value: Any) -> Any:
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
