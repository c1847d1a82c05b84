"""A scroll: a handle that the API keeps open for a while, and that is closed at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from astrio.blocks.errors import ApiAnswerError
from astrio.blocks.settings import Settings
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Stop
from astrio.tasks.paginate.parameters import ParameterPaginator
from astrio.tasks.paginate.signs import says_more
from astrio.tasks.paths import compile_path
from astrio.tasks.settings import Method, Where

_HANDLE = "{{handle}}"


class ScrollRequest(Settings):
    """A request about a handle; `{{handle}}` in its path stands for it."""

    method: Method = "POST"
    path: str = Field(description="Path below the connection's base URL.")
    params: dict[str, Any] = Field(default_factory=dict)
    body: dict[str, Any] | None = None


class Scroll(ParameterPaginator):
    """Pages by a handle, which goes to an address of its own until a page is empty.

    `POST /orders/_search?scroll=1m` answers `{"_scroll_id": "abc", "hits": [...]}`, and
    `POST /_search/scroll` with `{"scroll": "1m", "scroll_id": "abc"}` the next page::

        paginate:
          type: scroll
          next: $._scroll_id
          request: {path: /_search/scroll, body: {scroll: 1m}}
          close: {method: DELETE, path: /_search/scroll}

    A handle that has expired lets the slice begin anew, once. The same request leads on page after
    page, so one whose answer was lost is not sent again.
    """

    same_request: ClassVar[bool] = True
    closes: ClassVar[bool] = True
    type: Literal["scroll"] = "scroll"
    in_: Where = Field(default="body", alias="in", description="Where the handle goes.")
    param: str = Field(default="scroll_id", description="Parameter that carries the handle.")
    next_path: str = Field(alias="next", description="Path to the handle.")
    request: ScrollRequest = Field(description="Asks for the next page.")
    close: ScrollRequest | None = Field(default=None, description="Closes the handle at the end.")
    expired_status: tuple[int, ...] = Field(
        default=(404, 410), description="Statuses that say that the handle has expired."
    )

    @property
    def gone_status(self) -> tuple[int, ...]:
        """Statuses that say that the handle has expired."""
        return self.expired_status

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for what the handle leads to; an empty page ends it, unless more is promised."""
        more = says_more(self, answer)
        if more is False:
            return Stop("has_more_false")
        if answer.is_empty and not more:
            return Stop("empty_page")
        handle = self._handle(answer)
        if handle is None:
            raise ApiAnswerError(
                f"The answer has records, but no handle at {self.next_path} to ask for more.",
                advice="Correct paginate.next.",
            )
        return self._about(self.request, request, handle)

    def closing(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | None:
        """Close the handle."""
        handle = self._handle(answer)
        if self.close is None or handle is None:
            return None
        return self._about(self.close, request, handle)

    def _handle(self, answer: PageAnswer) -> str | None:
        handle = compile_path(self.next_path).first(answer.body)
        return None if handle in (None, "") else str(handle)

    def _about(self, what: ScrollRequest, request: ApiRequest, handle: str) -> ApiRequest:
        asked = replace(
            request,
            method=what.method,
            url=what.path.replace(_HANDLE, quote(handle, safe="")),
            params=what.params,
            body=what.body,
            body_kind="json",
            idempotent=False,
            key_header=None,
        )
        return asked if _HANDLE in what.path else self.placed(asked, {self.param: handle})
