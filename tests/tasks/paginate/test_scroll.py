from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import RECORDS, ids, paginator, read
from tests.support.server import Server, answer, serve

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop
from astrio.tasks.read_plan import ReadPlan, ResumeExpiredError

SCROLL: dict[str, Any] = {
    "type": "scroll",
    "next": "handle",
    "request": {"path": "/scroll", "body": {"keep": "1m"}},
}
CLOSED = {**SCROLL, "close": {"method": "DELETE", "path": "/scroll/{{handle}}"}}


class TestScroll(PaginatorContract):
    settings: ClassVar[dict[str, Any]] = SCROLL
    method = "POST"
    ends = "empty_page"
    more: ClassVar[dict[str, Any]] = {"handle": "a"}

    def serves(self, records: list[Any], size: int) -> Callable[[web.Request], Any]:
        async def page(request: web.Request) -> Any:
            body = await request.json()
            start = int(body["scroll_id"]) if request.path == "/scroll" else 0
            return {"items": records[start : start + size], "handle": str(start + size)}

        return page


def one_handle(gone_at: int | None = None) -> Callable[[web.Request], Any]:
    """Serve RECORDS three by three; the handle stays the same, the API remembers the position."""
    place = {"at": 0, "pages": 0}

    def page(request: web.Request) -> Any:
        if request.method == "DELETE":
            return answer({}, 200)
        if request.path == "/orders":
            place["at"] = 0
        place["pages"] += 1
        if place["pages"] == gone_at:
            return answer({"message": "no such scroll"}, 404)
        start, place["at"] = place["at"], place["at"] + 3
        return {"items": RECORDS[start : start + 3], "handle": "a/b"}

    return page


def plan(settings: dict[str, Any], **more: Any) -> ReadPlan:
    made = paginator(settings)
    return ReadPlan(made.first(ApiRequest("POST", "/orders")), made, records="items", **more)


def asked(server: Server) -> list[str]:
    return [f"{each.method} {each.target}" for each in server.requests]


async def test_a_handle_may_stay_the_same_and_is_closed_at_the_end() -> None:
    with serve(one_handle()) as server:
        pages = await read(server.url, plan(CLOSED))
        assert ids(pages) == list(range(7))
        assert asked(server) == ["POST /orders", *["POST /scroll"] * 3, "DELETE /scroll/a%2Fb"]
        assert server.requests[1].json() == {"keep": "1m", "scroll_id": "a/b"}


async def test_a_handle_is_closed_where_the_reading_ends_early_too() -> None:
    with serve(one_handle()) as server:
        await read(server.url, plan(CLOSED, limit=2))
        assert asked(server) == ["POST /orders", "DELETE /scroll/a%2Fb"]


async def test_a_closing_that_fails_harms_nothing() -> None:
    close = {"method": "DELETE", "path": "https://elsewhere.example/scroll"}
    with serve(one_handle()) as server:
        assert ids(await read(server.url, plan({**SCROLL, "close": close}))) == list(range(7))


async def test_an_expired_handle_is_told_apart_from_other_errors() -> None:
    with serve(one_handle(gone_at=2)) as server, pytest.raises(ResumeExpiredError):
        await read(server.url, plan(SCROLL))
    with serve(one_handle(gone_at=1)) as server, pytest.raises(ApiAnswerError) as caught:
        await read(server.url, plan(SCROLL))
    assert not isinstance(caught.value, ResumeExpiredError)


def test_records_without_a_handle_are_an_error() -> None:
    made = paginator(SCROLL)
    with pytest.raises(ApiAnswerError, match="no handle at handle"):
        made.next(ApiRequest("POST", "/orders"), page_of({"items": [{"id": 1}]}))


def test_a_flag_outranks_an_empty_page() -> None:
    made = paginator({**CLOSED, "has_more": "more"})
    request = ApiRequest("POST", "/orders")
    assert made.next(request, page_of({"more": False, "handle": "a"})) == Stop("has_more_false")
    assert not isinstance(made.next(request, page_of({"more": True, "handle": "a"}, [])), Stop)
    assert made.closing(request, page_of({})) is None
