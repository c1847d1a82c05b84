"""Paginators that set parameters: in the query, the body, or a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Paginator
from astrio.tasks.settings import Where


class ParameterPaginator(Paginator):
    """Base of paginators that set parameters; `in: query | body | header` says where.

    In a JSON body, a parameter's name is a dotted path, e.g. `page.offset`.
    """

    in_: Where = Field(default="query", alias="in", description="Where the parameters go.")

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
