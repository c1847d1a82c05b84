"""Paginators that set parameters: in the query, the body, or a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator
from astrio.tasks.settings import Where


class ParameterPaginator(Paginator):
    """Base of paginators that set parameters; `in: query | body | header` says where.

    In a JSON body, a parameter's name is a dotted path, e.g. `page.offset`.
    """

    in_: Where = Field(default="query", alias="in", description="Where the parameters go.")
    keep_params: tuple[str, ...] | None = Field(
        default=None,
        description="Query parameters that pages after the first may carry; all if left out.",
    )

    def kept(self, request: ApiRequest) -> ApiRequest:
        """Return the request without the query parameters that only the first page takes."""
        if self.keep_params is None:
            return request
        params = {name: value for name, value in request.params.items() if name in self.keep_params}
        return replace(request, params=params)

    def placed(self, request: ApiRequest, values: Mapping[str, Any]) -> ApiRequest:
        """Return the request with these parameters set."""
        for name, value in values.items():
            request = request.with_value(self.in_, name, value)
        return request

    def position(self, request: ApiRequest, name: str, default: int) -> int:
        """Return the number that the request carries under `name`.

        Raises:
            ConfigurationError: it is no number.
        """
        value = request.value_at(self.in_, name)
        try:
            return default if value is None else int(value)
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"The request's parameter {name} must be a number to be counted up.",
                advice="Leave it out of request, or correct paginate.param.",
            ) from None


class CountingPaginator(ParameterPaginator):
    """Base of paginators that count: their pages can be known beforehand."""

    counts: ClassVar[bool] = True

    parallel: int = Field(
        default=1, ge=1, le=64, description="Pages asked for at once, where the total is known."
    )

    def counted_on(
        self, following: ApiRequest, answer: PageAnswer, name: str, step: int
    ) -> Iterator[ApiRequest]:
        """Yield the requests after `following` up to the total, as far as `parallel` allows.

        Args:
            following: the next page's request.
            answer: the last page's; later ones are likely to be as large.
            name: the parameter that is counted.
            step: what it grows by from page to page.
        """
        size = len(answer.records)
        if answer.total is None or not size:
            return
        left = -(-(answer.total - answer.received) // size) - 1
        start = self.position(following, name, 0)
        for number in range(1, min(self.parallel - 1, left) + 1):
            yield self.placed(following, {name: start + number * step})
