"""What to read from a source, and from where on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Page
from astrio.tasks.children.plan import Children
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.export.plan import Export
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Paginator
from astrio.tasks.ties import Ties
from astrio.tasks.unchanged.unread import PageReader
from astrio.tasks.windows import Windows


class ResumeExpiredError(ApiAnswerError):
    """The API no longer knows a position: that of an unfinished run, or of a scroll."""


class TokenExpiredError(ResumeExpiredError):
    """The API no longer knows the token that the last run left for this one."""


class Reading(Protocol):
    """One pass over a source."""

    def in_doubt(self) -> str | None:
        """Return why what was read may not be all, None if nothing says so."""
        ...

    def pages(self) -> AsyncGenerator[Page, None]:
        """Yield its pages."""
        ...


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What to read, and from where on.

    Attributes:
        first: the first page's request.
        paginator: leads from page to page.
        records: path to the list of records.
        allow_missing: a missing path means no records.
        keep: the filter; records for which it is false are left out.
        cursor: reads the records' incremental cursor.
        windows: the slice is read window by window.
        children: the slice is read for each of these parents.
        export: the first request creates a job, whose files are read.
        extra: fields that each record gets.
        ties: knows the records that the last run has written.
        token: path to what the last page leaves for the next run.
        anew: the first page's request of a run without the last run's token.
        expired: statuses that say that this token is no longer known.
        resume: the request to go on with, instead of the first.
        place: where in the slice's parts that request belongs.
        ended: why the source ended, if an earlier part of this run has read it to its end.
        pages_before: pages of the earlier part of this run.
        received_before: records of the earlier part of this run.
        limit: stop after so many records.
        may_restart: the slice may be read again from its start.
        answers: how answers are judged and decoded.
        claimed: the total that the earlier part of this run was told.
        pages: knows the pages that have not changed since the last run.
    """

    first: ApiRequest
    paginator: Paginator
    records: str = "$"
    allow_missing: bool = False
    keep: Callable[[Any], Any] | None = None
    cursor: CursorReader | None = None
    windows: Windows | None = None
    children: Children | None = None
    export: Export | None = None
    extra: Mapping[str, Any] | None = None
    ties: Ties | None = None
    token: str | None = None
    anew: ApiRequest | None = None
    expired: tuple[int, ...] = ()
    resume: ApiRequest | None = None
    place: Mapping[str, Any] | None = None
    ended: str | None = None
    pages_before: int = 0
    received_before: int = 0
    limit: int | None = None
    may_restart: bool = True
    claimed: int | None = None
    answers: Answers = field(default_factory=Answers)
    pages: PageReader | None = None

    def from_start(self) -> ReadPlan:
        """Return the plan that reads the whole slice."""
        return replace(self, resume=None, place=None, ended=None, pages_before=0, received_before=0)

    def without_token(self) -> ReadPlan:
        """Return the plan that reads everything, as a first run does."""
        return replace(self.from_start(), first=self.anew or self.first, anew=None)


def position(request: ApiRequest, place: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return JSON values from which `place_of` and `request_of` make a position again."""
    stored = request.to_json()
    return stored if place is None else {**stored, "place": dict(place)}


def request_of(stored: Mapping[str, Any]) -> ApiRequest:
    """Return the request of a stored position."""
    return ApiRequest.from_json({name: stored[name] for name in stored if name != "place"})


def place_of(stored: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return where in the slice's parts a stored position lies, None: there are no parts."""
    return stored.get("place")
