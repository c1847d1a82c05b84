"""Numbered pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Stop
from astrio.tasks.paginate.parameters import CountingPaginator
from astrio.tasks.paginate.signs import numbered_end


class PageNumber(CountingPaginator):
    """Pages by number, until one is empty, the total is reached or the flag says so.

    `GET /orders?page=1&per_page=100` answers `{"orders": [...], "count": 5000}`::

        paginate: {type: page_number, param: page, size_param: per_page, size: 100, total: $.count}
    """

    type: Literal["page_number"] = "page_number"
    param: str = Field(default="page", description="Parameter of the page's number.")
    size_param: str | None = Field(default=None, description="Parameter of the page's size.")
    size: int | None = Field(default=None, ge=1, description="Records a page.")
    start: int = Field(default=1, ge=0, description="Number of the first page.")

    @model_validator(mode="after")
    def _size_has_a_parameter(self) -> Self:
        if (self.size_param is None) != (self.size is None):
            raise ValueError("give size_param and size together, or neither")
        return self

    def first(self, request: ApiRequest) -> ApiRequest:
        """Ask for the first page."""
        values = {self.param: self.start}
        if self.size_param is not None and self.size is not None:
            values[self.size_param] = self.size
        return self.placed(request, values)

    def ahead(self, following: ApiRequest, answer: PageAnswer) -> Iterator[ApiRequest]:
        """Count on."""
        return self.counted_on(following, answer, self.param, 1)

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for the page after this one."""
        number = self.position(request, self.param, self.start)
        end = numbered_end(self, answer)
        return end or self.placed(request, {self.param: number + 1})
