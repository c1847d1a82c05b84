"""What a paginator is: a pure function from the last request and answer to the next request."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from astrio.blocks.settings import Settings
from astrio.tasks.http.request import ApiRequest

StopReason = Literal[
    "no_next",
    "has_more_false",
    "empty_page",
    "total_reached",
    "single_page",
    "out_of_range",
    "limit",
    "declared_status",
]


@dataclass(frozen=True, slots=True)
class Stop:
    """The source ends here, and why."""

    reason: StopReason


class Tail(Sequence[Any]):
    """The records of an answer that was read piece by piece: all counted, the last ones kept."""

    def __init__(self, kept: Sequence[Any], before: int) -> None:
        """Take the last piece's records, and how many came before it."""
        self._kept = kept
        self._before = before

    def __len__(self) -> int:
        """Return how many records the answer held."""
        return self._before + len(self._kept)

    def __getitem__(self, place: Any) -> Any:
        """Return a record by its place from the end, e.g. -1."""
        return self._kept[place]


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What a paginator may look at.

    Attributes:
        body: the decoded body.
        headers: the answer's headers, looked up without regard to case.
        url: the URL that answered (base of relative links).
        records: the page's records, before any filter.
        received: records received in this slice so far, this page included.
        total: the total that the API claims on this page, if `total` is configured.
    """

    body: Any
    headers: Mapping[str, str]
    url: str
    records: Sequence[Any]
    received: int
    total: int | None


class Paginator(Settings):
    """Base of all paginators: frozen settings, no state of their own.

    To add one, write a module in this package with a subclass whose `type` is a Literal, and its
    test; it is found by itself.

    Attributes:
        durable: whether a position survives a crash (a cursor does, an offset on moving data
            does not).
    """

    durable: ClassVar[bool] = False

    total: str | None = Field(default=None, description="Path to the total number of records.")
    has_more: str | None = Field(
        default=None, description="Path to a flag that says whether more follows."
    )
    end_status: tuple[int, ...] = Field(
        default=(),
        description="Statuses that a page after the first may answer with to say that it is over.",
    )
    max_pages: int = Field(default=1_000_000, ge=1, description="Stop after so many pages.")

    def first(self, request: ApiRequest) -> ApiRequest:
        """Return the first page's request."""
        return request

    def ahead(self, following: ApiRequest, answer: PageAnswer) -> Iterator[ApiRequest]:  # noqa: ARG002 (only some can tell)
        """Yield the requests that are likely to come after `following`, if they can be known."""
        yield from ()

    @abstractmethod
    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Return the next page's request, or why there is none.

        Raises:
            ApiAnswerError: the answer contradicts itself (more promised, but no way to it).
        """
