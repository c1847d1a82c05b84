"""A URL in the body leads to the next page."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop
from astrio.tasks.paginate.following import follow
from astrio.tasks.paginate.signs import linked_end
from astrio.tasks.paths import compile_path


class NextUrl(Paginator):
    """Pages by the next page's URL: absolute, relative, or a query alone.

    `GET /orders` answers `{"orders": [...], "links": {"next": "/orders?page=2"}}`::

        paginate: {type: next_url, next: $.links.next}

    OData's `{"value": [...], "@odata.nextLink": "https://..."}`::

        paginate: {type: next_url, next: "@odata.nextLink"}
    """

    durable: ClassVar[bool] = True
    type: Literal["next_url"] = "next_url"
    next_path: str = Field(alias="next", description="Path to the next page's URL.")

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for the page that the URL leads to."""
        following = compile_path(self.next_path).first(answer.body)
        return linked_end(self, answer, following) or follow(request, answer.url, following)
