"""Offset and limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Stop
from astrio.tasks.paginate.parameters import CountingPaginator
from astrio.tasks.paginate.signs import numbered_end


class Offset(CountingPaginator):
    """Pages by offset; the step is what was received, so a server may cap its pages.

    `GET /orders?offset=0&limit=100` answers `{"orders": [...], "total": 5000}`::

        paginate: {type: offset, param: offset, limit_param: limit, limit: 100, total: $.total}

    Where the position goes into a JSON body, `in: body` and a dotted path say so::

        paginate: {type: offset, param: page.offset, in: body}

    Where records come and go while they are read, an overlap tells it: each page begins with the
    last records of the page before, or the reading is not to be trusted and begins anew::

        paginate: {type: offset, param: offset, limit_param: limit, limit: 100, overlap: 1}
    """

    type: Literal["offset"] = "offset"
    param: str = Field(default="offset", description="Parameter of the offset.")
    limit_param: str | None = Field(default=None, description="Parameter of the page's size.")
    limit: int | None = Field(default=None, ge=1, description="Records a page.")
    start: int = Field(default=0, ge=0, description="The first offset.")
    overlap: int = Field(
        default=0, ge=0, le=1000, description="Records that are asked for twice, to notice a drift."
    )

    def overlap_after(self, count: int) -> int:
        """Return how many of the last page's `count` records the next page holds, too."""
        return min(self.overlap, max(count - 1, 0))

    @model_validator(mode="after")
    def _limit_has_a_parameter(self) -> Self:
        if (self.limit_param is None) != (self.limit is None):
            raise ValueError("give limit_param and limit together, or neither")
        if self.limit is not None and self.overlap >= self.limit:
            raise ValueError("`overlap` must be less than `limit`, or no page would lead on")
        return self

    def first(self, request: ApiRequest) -> ApiRequest:
        """Ask for the first page."""
        values = {self.param: self.start}
        if self.limit_param is not None and self.limit is not None:
            values[self.limit_param] = self.limit
        return self.placed(request, values)

    def ahead(self, following: ApiRequest, answer: PageAnswer) -> Iterator[ApiRequest]:
        """Count on."""
        count = len(answer.records)
        step = count - self.overlap_after(count)
        return self.counted_on(following, answer, self.param, step)

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for what comes after the records received; skip an empty page that is not the end."""
        offset = self.position(request, self.param, self.start)
        end = numbered_end(self, answer)
        count = len(answer.records)
        step = count - self.overlap_after(count) or self.limit or 1
        return end or self.placed(request, {self.param: offset + step})
