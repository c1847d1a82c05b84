"""What is true of every paginator; each one's test class inherits this."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.support.reading import RECORDS, paginator, read
from tests.support.server import serve

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator
from astrio.tasks.reading import ReadPlan


class PaginatorContract:
    """Set `settings`, and `serves`: an API of that kind, made from records and a page size.

    The API answers `{"items": [...]}` and whatever the settings refer to; `ends` is the reason
    why it ends, `more` what else every answer holds.
    """

    settings: ClassVar[dict[str, Any]]
    method: ClassVar[str] = "GET"
    ends: ClassVar[str]
    more: ClassVar[dict[str, Any]] = {}

    def serves(self, records: list[Any], size: int) -> Callable[[web.Request], Any]:
        raise NotImplementedError

    def paginator(self, **more: Any) -> Paginator:
        return paginator({**self.settings, **more})

    def plan(self, **more: Any) -> ReadPlan:
        made = self.paginator()
        body = {"fixed": {"a": 1}} if self.method == "POST" else None
        request = ApiRequest(self.method, "/orders", params={"status": "any"}, body=body)
        return ReadPlan(made.first(request), made, records="items", **more)

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    async def test_every_record_is_read_once(self, size: int) -> None:
        with serve(self.serves(RECORDS, size)) as server:
            pages = await read(server.url, self.plan())
        assert [record for page in pages for record in page.records] == RECORDS
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        assert pages[-1].stop_reason == self.ends
        assert not [page for page in pages[:-1] if page.stop_reason]

    async def test_an_empty_source_is_one_empty_page(self) -> None:
        with serve(self.serves([], 3)) as server:
            pages = await read(server.url, self.plan())
        assert [(page.fetched, page.resume) for page in pages] == [(0, None)]
        assert pages[0].stop_reason

    async def test_reading_goes_on_from_any_stored_position(self) -> None:
        with serve(self.serves(RECORDS, 2)) as server:
            pages = await read(server.url, self.plan())
            for number, page in enumerate(pages[:-1], 1):
                stored = json.loads(json.dumps(page.resume))
                received = sum(before.fetched for before in pages[:number])
                plan = replace(
                    self.plan(),
                    resume=ApiRequest.from_json(stored),
                    pages_before=number,
                    received_before=received,
                )
                rest = await read(server.url, plan)
                assert [r for page in rest for r in page.records] == RECORDS[received:]
                assert rest[0].number == number + 1

    def test_it_changes_neither_the_request_nor_itself(self) -> None:
        made, first = self.paginator(), self.plan().first
        before = json.dumps(first.to_json())
        body = {"items": [{"id": 1}], **self.more}
        answer = PageAnswer(body, {}, "http://a/orders", [{"id": 1}], 1, None)
        assert made.next(first, answer) == made.next(first, answer)
        assert json.dumps(first.to_json()) == before
        assert made == self.paginator()

    def test_its_settings_survive_being_stored(self) -> None:
        stored = json.loads(self.paginator().model_dump_json(by_alias=True))
        assert paginator(stored) == self.paginator()

    def test_unknown_settings_are_refused(self) -> None:
        with pytest.raises(ValueError, match="Extra inputs"):
            self.paginator(nonsense=1)


def page_of(body: Any, records: list[Any] | None = None, **more: Any) -> PageAnswer:
    """Make what a paginator looks at."""
    seen = [{"id": 1}] if records is None else records
    values = {"headers": {}, "url": "http://a/v1/orders?page=1", "received": 1, "total": None}
    return PageAnswer(body, records=seen, **{**values, **more})
