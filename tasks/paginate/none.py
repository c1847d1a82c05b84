"""No pagination: one request answers it all."""

from __future__ import annotations

from typing import ClassVar, Literal

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop


class NoPagination(Paginator):
    """`{type: none}`, the default: the single answer holds every record."""

    durable: ClassVar[bool] = True
    type: Literal["none"] = "none"

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:  # noqa: ARG002 (every paginator has this shape)
        """Stop after the first page."""
        return Stop("single_page")
