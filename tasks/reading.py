"""Reading a source page by page: what is asked, how it is told apart, and why it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from astrio.blocks.errors import ApiAnswerError, AstrioError, RecordRejectedError
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Page, Problem, Reject
from astrio.tasks.cursors import highest
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.http.client import Answer, ApiClient, describe_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop, Tail
from astrio.tasks.paths import JsonPath, compile_path
from astrio.tasks.reading_ahead import ReadAhead
from astrio.tasks.repetition import RepetitionGuard
from astrio.tasks.secrecy import Secrecy
from astrio.tasks.shapes import describe

_EXPIRED = (400, 404, 410, 422)


class ResumeExpiredError(ApiAnswerError):
    """The API no longer knows the position that an unfinished run would go on from."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What to read, and from where on.

    Attributes:
        first: the first page's request.
        paginator: leads from page to page.
        records: path to the list of records.
        allow_missing: a missing path means no records.
        keep: the filter; records for which it is false are left out.
        cursor: path to a record's incremental cursor.
        resume: the request to go on with, instead of the first.
        ended: why the source ended, if an earlier part of this run has read it to its end.
        pages_before: pages of the earlier part of this run.
        received_before: records of the earlier part of this run.
        limit: stop after so many records.
        may_restart: the slice may be read again from its start.
        answers: how answers are judged and decoded.
        claimed: the total that the earlier part of this run was told.
    """

    first: ApiRequest
    paginator: Paginator
    records: str = "$"
    allow_missing: bool = False
    keep: Callable[[Any], Any] | None = None
    cursor: str | None = None
    resume: ApiRequest | None = None
    ended: str | None = None
    pages_before: int = 0
    received_before: int = 0
    limit: int | None = None
    may_restart: bool = True
    claimed: int | None = None
    answers: Answers = field(default_factory=Answers)

    def from_start(self) -> ReadPlan:
        """Return the plan that reads the whole slice."""
        return replace(self, resume=None, ended=None, pages_before=0, received_before=0)


async def read_pages(client: ApiClient, plan: ReadPlan) -> AsyncGenerator[Page, None]:
    """Yield the source's pages; an empty source yields one empty page.

    Where the API claims a total and something else arrived, the slice is read once more: its
    first page then has `restart` set. Whether the second reading agrees is for `push` to judge.

    Raises:
        ResumeExpiredError: the API no longer knows the position to go on from.
        AstrioError: a page could not be had or used; the text names request and page.
    """
    if plan.ended is not None:
        yield Page(plan.pages_before, stop_reason=plan.ended, claimed=plan.claimed)
        return
    reading = _Reading(client, plan)
    async with aclosing(reading.pages()) as pages:
        async for page in pages:
            yield page
    if reading.differs_from_claim() and plan.may_restart:
        again = True
        async with aclosing(_Reading(client, plan.from_start()).pages()) as pages:
            async for page in pages:
                page.restart, again = again, False
                yield page


class _Reading:
    """One pass over the slice."""

    def __init__(self, client: ApiClient, plan: ReadPlan) -> None:
        self._client = client
        self._plan = plan
        self._records = compile_path(plan.records)
        self._total = _path(plan.paginator.total)
        self._cursor = _path(plan.cursor)
        self._secrecy = Secrecy(plan.first, client.api.auth)
        self._guard = RepetitionGuard(plan.resume or plan.first, plan.pages_before)
        self._received = plan.received_before
        self._counted = 0  # records of the present answer's earlier pieces
        self._claimed = plan.claimed if plan.resume else None
        self._reason: str | None = None
        self._ahead = ReadAhead(self._ask)

    def differs_from_claim(self) -> bool:
        """Whether the API claimed another number of records than arrived."""
        limited = self._reason == "limit"
        return self._claimed is not None and self._claimed != self._received and not limited

    async def pages(self) -> AsyncGenerator[Page, None]:
        try:
            async with aclosing(self._pages()) as pages:
                async for page in pages:
                    yield page
        finally:
            await self._ahead.aclose()

    async def _pages(self) -> AsyncGenerator[Page, None]:
        start = self._plan.resume or self._plan.first
        number = self._plan.pages_before
        self._secrecy.check(start)
        request: ApiRequest | None = start
        while request is not None:
            number += 1
            answer = await self._ahead.get(request, number)
            if answer is None:
                yield Page(number, stop_reason="declared_status", claimed=self._claimed)
                return
            self._counted = 0
            following: ApiRequest | None = request
            try:
                for body, last in self._plan.answers.parts(answer):
                    if last:
                        page, following = self._understood(request, answer, body, number)
                    else:
                        page = self._part(body, number)
                    yield page
                    if self._reason == "limit":
                        following = None
                        break
            except AstrioError as error:
                error.request = error.request or describe_request(
                    request.method, answer.url, number
                )
                raise
            request = following

    async def _ask(self, request: ApiRequest, number: int) -> Answer | None:
        """Send a page's request; None: the API answers with a status that ends the source."""
        try:
            return await self._client.send(request, page=number, answers=self._plan.answers)
        except RefusedError as error:
            if number > 1 and error.status in self._plan.paginator.end_status:
                self._reason = "declared_status"
                return None
            if request is not self._plan.resume or error.status not in _EXPIRED:
                raise
            raise ResumeExpiredError(
                f"The unfinished run cannot go on where it stopped. {error.message}",
                advice="The API no longer knows that position: run with --full-refresh.",
                request=error.request,
            ) from error

    def _part(self, body: Any, number: int) -> Page:
        """Return the page of a piece of a large answer; only the last piece leads on."""
        records = self._records.records(body, allow_missing=self._plan.allow_missing)
        self._received += len(records)
        self._counted += len(records)
        limit = self._plan.limit
        if limit is not None and self._received >= limit:
            records, self._reason = self._cut(records), "limit"
        return self._page(number, records, None)

    def _understood(
        self, request: ApiRequest, answer: Answer, body: Any, number: int
    ) -> tuple[Page, ApiRequest | None]:
        records = self._records.records(body, allow_missing=self._plan.allow_missing)
        self._received += len(records)
        self._read_total(body)
        seen = PageAnswer(
            body,
            answer.headers,
            answer.url,
            Tail(records, self._counted) if self._counted else records,
            self._received,
            self._claimed,
        )
        step = self._plan.paginator.next(request, seen)
        self._reason = step.reason if isinstance(step, Stop) else None
        following = None if isinstance(step, Stop) else self._secrecy.hide(step)
        if following is not None:
            self._client.check(following)
        self._guard.look(number, records, following)
        if self._is_enough(number, following):
            records, following, self._reason = self._cut(records), None, "limit"
        if following is not None and self._plan.limit is None:
            expected = [following, *self._plan.paginator.ahead(following, seen)]
            if len(expected) > 1 or self._ahead.busy:
                self._ahead.expect(expected[: self._pages_left(number)], number + 1)
        return self._page(number, records, following), following

    def _pages_left(self, number: int) -> int:
        return self._plan.paginator.max_pages - (number - self._plan.pages_before)

    def _read_total(self, body: Any) -> None:
        if self._total is None:
            return
        total = self._total.first(body)
        if isinstance(total, str) and total.strip().isdecimal():
            total = int(total)
        if isinstance(total, float) and total.is_integer():
            total = int(total)
        if total is None and self._claimed is not None:
            return  # some APIs name the total on the first page only
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise ApiAnswerError(
                f"The total at {self._plan.paginator.total} is missing, or no number: "
                f"{describe(total)} is there.",
                advice="Correct paginate.total, or leave it out.",
            )
        self._claimed = total

    def _is_enough(self, number: int, following: ApiRequest | None) -> bool:
        limit = self._plan.limit
        if limit is not None and self._received >= limit:
            return following is not None or self._received > limit
        pages = number - self._plan.pages_before
        return following is not None and pages >= self._plan.paginator.max_pages

    def _cut(self, records: list[Any]) -> list[Any]:
        limit = self._plan.limit
        excess = 0 if limit is None else max(self._received - limit, 0)
        self._received -= excess
        return records[: len(records) - excess]

    def _page(self, number: int, records: list[Any], following: ApiRequest | None) -> Page:
        good, errors = records, list[Reject]()
        if self._plan.answers.rejects:
            good, errors = self._plan.answers.sorted_out(records)
        kept, rejects = _judged(good, self._plan.keep)
        rejects = errors + rejects
        return Page(
            number=number,
            records=kept,
            fetched=len(records),
            filtered=len(records) - len(kept) - len(rejects),
            rejects=rejects,
            resume=None if following is None else following.to_json(),
            cursor=highest(self._cursor.column(records)) if self._cursor else None,
            stop_reason=self._reason,
            claimed=self._claimed,
        )


def _judged(
    records: list[Any], keep: Callable[[Any], Any] | None
) -> tuple[list[Any], list[Reject]]:
    """Return the records that the filter lets through, and those that break it."""
    if keep is None:
        return records, []
    kept: list[Any] = []
    rejects: list[Reject] = []
    for record in records:
        try:
            if keep(record):
                kept.append(record)
        except RecordRejectedError as error:
            rejects.append(Reject(record, [Problem(None, "filter", error.message)]))
    return kept, rejects


def _path(text: str | None) -> JsonPath | None:
    return None if text is None else compile_path(text)
