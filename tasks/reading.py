"""Reading a source page by page: what is asked, how it is told apart, and why it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

from astrio.blocks.errors import ApiAnswerError, AstrioError, RecordRejectedError
from astrio.blocks.redaction import redact
from astrio.tasks.batch import Page
from astrio.tasks.cursors import highest
from astrio.tasks.decode.json import decode_json
from astrio.tasks.http.client import Answer, ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop
from astrio.tasks.paths import JsonPath, compile_path
from astrio.tasks.repetition import RepetitionGuard

_EXPIRED = ("400", "404", "410", "422")


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

    def from_start(self) -> ReadPlan:
        """Return the plan that reads the whole slice."""
        return replace(self, resume=None, ended=None, pages_before=0, received_before=0)


async def read_pages(client: ApiClient, plan: ReadPlan) -> AsyncIterator[Page]:
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
    async for page in reading.pages():
        yield page
    if reading.falls_short() and plan.may_restart:
        again = True
        async for page in _Reading(client, plan.from_start()).pages():
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
        self._guard = RepetitionGuard()
        self._received = plan.received_before
        self._claimed: int | None = None
        self._reason: str | None = None

    def falls_short(self) -> bool:
        """Whether the API claimed another number of records than arrived."""
        limited = self._reason == "limit"
        return self._claimed is not None and self._claimed != self._received and not limited

    async def pages(self) -> AsyncIterator[Page]:
        following: ApiRequest | None = self._plan.resume or self._plan.first
        number = self._plan.pages_before
        while (request := following) is not None:
            number += 1
            answer = await self._ask(request, number)
            try:
                page, following = self._understood(request, answer, number)
            except AstrioError as error:
                error.request = error.request or _label(request, answer, number)
                raise
            yield page

    async def _ask(self, request: ApiRequest, number: int) -> Answer:
        try:
            return await self._client.send(request, page=number)
        except ApiAnswerError as error:
            resumed = request is self._plan.resume
            if resumed and any(f" answered {status}" in error.message for status in _EXPIRED):
                raise ResumeExpiredError(
                    f"An unfinished run cannot go on where it stopped: {error.message}",
                    advice="The API no longer knows that position. Run with --full-refresh.",
                    request=error.request,
                ) from None
            raise

    def _understood(
        self, request: ApiRequest, answer: Answer, number: int
    ) -> tuple[Page, ApiRequest | None]:
        body = decode_json(answer.content, answer.headers)
        records = self._records.records(body, allow_missing=self._plan.allow_missing)
        self._received += len(records)
        total = self._read_total(body)
        step = self._plan.paginator.next(
            request,
            PageAnswer(body, answer.headers, answer.url, records, self._received, total),
        )
        following = None if isinstance(step, Stop) else step
        self._reason = step.reason if isinstance(step, Stop) else None
        self._guard.look(number, records, following)
        if self._is_enough(records, number, following):
            records, following, self._reason = self._cut(records), None, "limit"
        return self._page(number, records, following), following

    def _read_total(self, body: Any) -> int | None:
        if self._total is None:
            return None
        total = self._total.first(body)
        if isinstance(total, str) and total.isdecimal():
            total = int(total)
        if not isinstance(total, int) or isinstance(total, bool):
            raise ApiAnswerError(
                f"The answer names no total at {self._plan.paginator.total}.",
                advice="Correct paginate.total, or leave it out.",
            )
        self._claimed = total
        return total

    def _is_enough(
        self, records: list[Any], number: int, following: ApiRequest | None
    ) -> bool:
        limit, most = self._plan.limit, self._plan.paginator.max_pages
        if limit is not None and self._received >= limit:
            return following is not None or self._received > limit
        return following is not None and number - self._plan.pages_before >= most

    def _cut(self, records: list[Any]) -> list[Any]:
        excess = self._received - (self._plan.limit or self._received)
        self._received -= max(excess, 0)
        return records[: len(records) - excess] if excess > 0 else records

    def _page(self, number: int, records: list[Any], following: ApiRequest | None) -> Page:
        kept = records if self._plan.keep is None else self._filtered(records)
        return Page(
            number=number,
            records=kept,
            fetched=len(records),
            filtered=len(records) - len(kept),
            resume=None if following is None else following.to_json(),
            cursor=self._highest(records),
            stop_reason=self._reason,
            claimed=self._claimed,
        )

    def _filtered(self, records: list[Any]) -> list[Any]:
        """Leave out what the filter is false for; what breaks it goes on and is rejected there."""
        keep = self._plan.keep
        assert keep is not None

        def wanted(record: Any) -> bool:
            try:
                return bool(keep(record))
            except RecordRejectedError:
                return True

        return [record for record in records if wanted(record)]

    def _highest(self, records: list[Any]) -> Any:
        if self._cursor is None or not records:
            return None
        return highest([self._cursor.first(record) for record in records])


def _path(text: str | None) -> JsonPath | None:
    return None if text is None else compile_path(text)


def _label(request: ApiRequest, answer: Answer, number: int) -> str:
    return f"{request.method} {redact(answer.url)} (page {number})"

