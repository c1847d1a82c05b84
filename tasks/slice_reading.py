"""Reading a slice page by page: what is asked, how it is told apart, and why it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from typing import Any, Final

from astrio.blocks.errors import ApiAnswerError, AstrioError
from astrio.tasks.batch import Page
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.http.client import Answer, ApiClient, describe_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.overlap import without_overlap
from astrio.tasks.paginate.base import PageAnswer, Stop, Tail
from astrio.tasks.paths import JsonPath, compile_path
from astrio.tasks.read_plan import ReadPlan, ResumeExpiredError, TokenExpiredError
from astrio.tasks.reading_ahead import ReadAhead
from astrio.tasks.repetition import RepetitionGuard
from astrio.tasks.secrecy import Secrecy
from astrio.tasks.selection import Selected, Selection
from astrio.tasks.totals import ClaimedTotal
from astrio.tasks.tuning import AHEAD_BYTES
from astrio.tasks.unchanged.mark import Mark
from astrio.tasks.unchanged.unread import Unread

_EXPIRED: Final = (400, 404, 410, 422)
_CLOSING_SECONDS: Final = 10.0


class SliceReading:
    """One pass over a slice, or over a part of it."""

    def __init__(self, client: ApiClient, plan: ReadPlan) -> None:
        """Take the client and what to read; nothing is sent yet."""
        self._client = client
        self._plan = plan
        self._paginator = plan.paginator
        self._records = compile_path(plan.records)
        self._token: JsonPath | None = compile_path(plan.token) if plan.token else None
        self._secrecy = Secrecy(plan.first, client.api.auth)
        self._guard = RepetitionGuard(
            plan.resume or plan.first,
            plan.pages_before,
            positions=not plan.paginator.same_request,
            records=not plan.paginator.allow_repeats,
        )
        self._select = Selection(plan.keep, plan.cursor, plan.answers, plan.extra, plan.ties)
        self.total = ClaimedTotal(plan.paginator, plan.claimed if plan.resume else None)
        # Only the first pages of a feed that is newest first are read; its total counts all.
        self._partial = plan.cursor is not None and plan.cursor.ends_early
        self._received = plan.received_before
        self._largest = 1  # bytes of an answer
        self._counted = 0  # records of the present answer's earlier pieces
        self._last: list[Any] = []  # the last page's records, where pages overlap
        self._digest = b""  # of the present answer's records, where unchanged pages are looked for
        self._reason: str | None = None
        self._seen: tuple[ApiRequest, PageAnswer] | None = None
        self._ahead = ReadAhead(self._ask)

    def in_doubt(self) -> str | None:
        """Return why what was read may not be all, None if nothing says so."""
        if self._partial:
            return None
        if self.total.fell:
            return "the API's total fell while it was read"
        claimed = self.total.claimed
        if claimed is None or self._reason == "limit":
            return None
        return None if claimed == self._received else "the API claims another number of records"

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Yield the pages; what was asked for ahead is dropped in the end, a scroll closed."""
        try:
            async with aclosing(self._pages()) as pages:
                async for page in pages:
                    yield page
        finally:
            await self._ahead.aclose()
            await self._close()

    async def _close(self) -> None:
        """Close what the API keeps open; a failure is harmless, as it lapses by itself."""
        closing = None if self._seen is None else self._paginator.closing(*self._seen)
        if closing is not None:
            with suppress(AstrioError, TimeoutError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await self._client.send(closing)

    async def _pages(self) -> AsyncGenerator[Page, None]:
        start = self._plan.resume or self._plan.first
        number = self._plan.pages_before
        self._secrecy.check(start)
        request: ApiRequest | None = start
        while request is not None:
            number += 1
            answer = await self._ahead.get(request, number)
            if answer is None:
                yield Page(number, stop_reason="declared_status", claimed=self.total.claimed)
                return
            self._counted = 0
            following: ApiRequest | None = request
            try:
                for body, size, last in self._parts(answer):
                    if last:
                        page, following = self._understood(request, answer, body, number)
                    else:
                        page = self._part(body, number)
                    page.size = size
                    del body  # what is decoded is let go as soon as it is mapped
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

    def _parts(self, answer: Answer) -> Iterable[tuple[Any, int, bool]]:
        """Return the answer's body, or its pieces; of one whose records are known, nothing more."""
        if self._plan.pages is None:
            return self._plan.answers.parts(answer)
        look = self._plan.pages.look(answer)
        self._digest = look.digest
        if look.body is None:
            return self._plan.answers.parts(answer)
        return [(look.body, len(answer.content), True)]

    async def _ask(self, request: ApiRequest, number: int) -> Answer | None:
        """Send a page's request; None: the API answers with a status that ends the source."""
        try:
            return await self._client.send(request, page=number, answers=self._plan.answers)
        except RefusedError as error:
            later = number > self._plan.pages_before + 1 or request is self._plan.resume
            if later and error.status in self._paginator.end_status:
                self._reason = "declared_status"
                return None
            expired = self._expired(request, number, error.status)
            if expired is None:
                raise
            raise expired(
                f"The reading cannot go on where it was. {error.message}",
                advice="The API no longer knows that position: run with --full-refresh.",
                request=error.request,
            ) from error

    def _expired(
        self, request: ApiRequest, number: int, status: int
    ) -> type[ResumeExpiredError] | None:
        """Return the error for a status that says that a position is gone; None: it does not."""
        if request is self._plan.resume:
            return ResumeExpiredError if status in _EXPIRED else None
        if request is self._plan.first and self._plan.anew is not None:
            return TokenExpiredError if status in self._plan.expired else None
        later = number > self._plan.pages_before + 1
        return ResumeExpiredError if later and status in self._paginator.gone_status else None

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
        full = self._records.records(body, allow_missing=self._plan.allow_missing)
        records = self._fresh(full)
        self._received += len(records)
        self._largest = max(self._largest, len(answer.content))
        self.total.read(body)
        seen = PageAnswer(
            body,
            answer.headers,
            answer.url,
            Tail(full, self._counted) if self._counted else full,
            self._received,
            self.total.claimed,
            len(records) + self._counted,
        )
        self._seen = (request, seen) if self._paginator.closes else None
        step = self._paginator.next(request, seen)
        self._reason = step.reason if isinstance(step, Stop) else None
        following = None if isinstance(step, Stop) else self._secrecy.hide(step)
        if following is not None:
            self._client.check(following)
        self._digest = self._digest if records is full else b""
        self._guard.look(number, records, following, self._digest)
        if self._is_enough(number, following):
            records, following, self._reason = self._cut(records), None, "limit"
        page = self._page(number, records, following)
        if self._select.past and following is not None:
            self._reason = page.stop_reason = "out_of_range"
            page.resume = following = None
        if following is None and self._reason != "limit":
            page.cursor = self._left_token(body) if self._token else page.cursor
        self._look_ahead(following, seen, number)
        return page, following

    def _fresh(self, records: list[Any]) -> list[Any]:
        """Return the records that the page before did not hold, where pages overlap."""
        known = self._last
        self._last = records if self._paginator.overlap_after(len(records)) else []
        common = self._paginator.overlap_after(len(known))
        return without_overlap(known[-common:], records) if common else records

    def _left_token(self, body: Any) -> Any:
        """Return what the last page leaves for the next run."""
        token = self._token.first(body) if self._token else None
        if token in (None, ""):
            raise ApiAnswerError(
                f"The last page has no token at {self._plan.token}, so that the next run could "
                "not go on from it.",
                advice="Correct incremental.token, or check paginate: is it the last page?",
            )
        return token

    def _look_ahead(self, following: ApiRequest | None, seen: PageAnswer, number: int) -> None:
        if following is None or self._plan.limit is not None:
            return
        expected = [following, *self._paginator.ahead(following, seen)]
        if len(expected) > 1 or self._ahead.busy:
            most = min(self._pages_left(number), max(AHEAD_BYTES // self._largest, 1))
            self._ahead.expect(expected[:most], number + 1)

    def _pages_left(self, number: int) -> int:
        return self._paginator.max_pages - (number - self._plan.pages_before)

    def _is_enough(self, number: int, following: ApiRequest | None) -> bool:
        limit = self._plan.limit
        if limit is not None and self._received >= limit:
            return following is not None or self._received > limit
        return following is not None and self._pages_left(number) <= 0

    def _cut(self, records: list[Any]) -> list[Any]:
        limit = self._plan.limit
        excess = 0 if limit is None else max(self._received - limit, 0)
        self._received -= excess
        return records[: len(records) - excess]

    def _page(self, number: int, records: list[Any], following: ApiRequest | None) -> Page:
        chosen = Selected(records) if isinstance(records, Unread) else self._select(records)
        return Page(
            number=number,
            records=chosen.records,
            fetched=len(records),
            filtered=len(records) - len(chosen.records) - len(chosen.rejects) - chosen.known,
            known=chosen.known,
            ties=chosen.ties,
            rejects=chosen.rejects,
            resume=None if following is None else following.to_json(),
            cursor=chosen.cursor,
            stop_reason=self._reason,
            claimed=None if self._partial else self.total.claimed,
            mark=None if self._plan.pages is None else Mark(self._digest),
        )
