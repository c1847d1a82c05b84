"""A cursor (token) in the body leads to the next page."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Stop
from astrio.tasks.paginate.parameters import ParameterPaginator
from astrio.tasks.paginate.signs import linked_end
from astrio.tasks.paths import compile_path
from astrio.tasks.shapes import describe


class Cursor(ParameterPaginator):
    """Pages by cursor, until there is none.

    `GET /orders?cursor=abc` answers `{"orders": [...], "meta": {"next_cursor": "def"}}`::

        paginate: {type: cursor, param: cursor, next: $.meta.next_cursor}

    Where the last record's ID is the cursor, as in `{"data": [{"id": "a"}], "has_more": true}`::

        paginate: {type: cursor, param: starting_after, next: "data[-1].id", has_more: $.has_more}

    Where the cursor stands in a header of the answer::

        paginate: {type: cursor, param: cursor, next_header: X-Next-Cursor}

    Where pages after the first may carry no other parameters than these::

        paginate: {type: cursor, param: page_info, next: $.next, keep_params: [limit, fields]}
    """

    durable: ClassVar[bool] = True
    type: Literal["cursor"] = "cursor"
    param: str = Field(default="cursor", description="Parameter that carries the cursor.")
    next_path: str | None = Field(
        default=None, alias="next", description="Path to the next page's cursor."
    )
    next_header: str | None = Field(
        default=None, description="Header of the answer that holds the next page's cursor."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.next_path is None) == (self.next_header is None):
            raise ValueError("give next (a path in the body) or next_header, and not both")
        return self

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for the page that the cursor leads to."""
        if self.next_header is not None:
            following = answer.headers.get(self.next_header)
        else:
            following = compile_path(self.next_path or "$").first(answer.body)
        end = linked_end(self, answer, following)
        return end or self.placed(self.kept(request), {self.param: self._sendable(following)})

    def _sendable(self, cursor: Any) -> Any:
        # Some APIs want an object back, as it was; only a body can carry that.
        if self.in_ != "body" and (isinstance(cursor, list | dict) or cursor is True):
            raise ApiAnswerError(
                f"The cursor at {self.next_path} is {describe(cursor)}, not a text or a number.",
                advice="Correct paginate.next.",
            )
        return cursor
