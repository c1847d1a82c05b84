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
        fresh: how many of the records the page before did not hold.
    """

    body: Any
    headers: Mapping[str, str]
    url: str
    records: Sequence[Any]
    received: int
    total: int | None
    fresh: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the page brings nothing new."""
        return not (len(self.records) if self.fresh is None else self.fresh)


class Paginator(Settings):
    """Base of all paginators: frozen settings, no state of their own.

    To add one, write a module in this package with a subclass whose `type` is a Literal, and its
    test; it is found by itself.

    Attributes:
        durable: whether a position survives a crash (a cursor does, an offset on moving data
            does not).
        counts: positions are counted, so that they shift where records come and go.
        same_request: the same request leads on, page after page.
        closes: something is to be closed after the last page.
    """

    durable: ClassVar[bool] = False
    counts: ClassVar[bool] = False
    same_request: ClassVar[bool] = False
    closes: ClassVar[bool] = False

    total: str | None = Field(default=None, description="Path to the total number of records.")
    has_more: str | None = Field(
        default=None, description="Path to a flag that says whether more follows."
    )
    end_status: tuple[int, ...] = Field(
        default=(),
        description="Statuses that a page after the first may answer with to say that it is over.",
    )
    total_saturates: int | None = Field(
        default=None, ge=1, description="From this total on, the API means: at least so many."
    )
    cap: int | None = Field(
        default=None,
        ge=2,
        description="Records that the API gives at most for one query; a window of "
        "source.incremental that holds so many is halved.",
    )
    allow_repeats: bool = Field(
        default=False, description="A page may hold the same records as the one before."
    )
    max_pages: int = Field(default=1_000_000, ge=1, description="Stop after so many pages.")

    def overlap_after(self, count: int) -> int:  # noqa: ARG002 (only some overlap)
        """Return how many of the last page's `count` records the next page holds, too."""
        return 0

    @property
    def gone_status(self) -> tuple[int, ...]:
        """Statuses that say that the position between two pages is gone."""
        return ()

    def first(self, request: ApiRequest) -> ApiRequest:
        """Return the first page's request."""
        return request

    def closing(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | None:  # noqa: ARG002 (only some have)
        """Return what is sent after the last page's request and answer, None: nothing."""
        return None

    def ahead(self, following: ApiRequest, answer: PageAnswer) -> Iterator[ApiRequest]:  # noqa: ARG002 (only some can tell)
        """Yield the requests that are likely to come after `following`, if they can be known."""
        yield from ()

    @abstractmethod
    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Return the next page's request, or why there is none.

        Raises:
            ApiAnswerError: the answer contradicts itself (more promised, but no way to it).
        """
