from __future__ import annotations

from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import paginator
from tests.support.server import answer

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop


class TestToken(PaginatorContract):
    settings: ClassVar = {"type": "cursor", "param": "after", "next": "$.meta.next"}
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.query.get("after", "t0")[1:])
            end = start + size
            following = f"t{end}" if end < len(records) else None
            return {"items": records[start:end], "meta": {"next": following}}

        return page


class TestLastRecord(PaginatorContract):
    settings: ClassVar = {
        "type": "cursor",
        "param": "starting_after",
        "next": "items[-1].id",
        "has_more": "has_more",
    }
    ends = "has_more_false"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.query.get("starting_after", "-1")) + 1
            end = start + size
            return {"items": records[start:end], "has_more": end < len(records)}

        return page


class TestObjectInTheBody(PaginatorContract):
    settings: ClassVar = {
        "type": "cursor",
        "in": "body",
        "param": "start_key",
        "next": "last_key",
    }
    method = "POST"
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        async def page(request: web.Request) -> Any:
            start = (await request.json()).get("start_key", {"id": {"N": 0}})["id"]["N"]
            end = start + size
            more = {"last_key": {"id": {"N": end}}} if end < len(records) else {}
            return {"items": records[start:end], **more}

        return page


def step(body: Any, records: list[Any] | None = None, **more: Any) -> ApiRequest | Stop:
    made = paginator({"type": "cursor", "next": "next", **more})
    return made.next(ApiRequest("GET", "/"), page_of(body, records))


@pytest.mark.parametrize(
    "body", [{}, {"next": None}, {"next": ""}, {"next": False}, {"next": "false"}, []]
)
def test_no_token_is_the_end(body: Any) -> None:
    assert step(body) == Stop("no_next")


@pytest.mark.parametrize("token", ["a/b+c=", 7, 0, "0", 1.5])
def test_a_token_is_sent_as_it_came(token: Any) -> None:
    assert step({"next": token}) == ApiRequest("GET", "/", params={"cursor": token})


def test_a_token_leads_on_past_an_empty_page() -> None:
    assert isinstance(step({"next": "a"}, []), ApiRequest)


@pytest.mark.parametrize("more", [False, "false"])
def test_the_flag_ends_although_a_token_is_there(more: Any) -> None:
    assert step({"next": "a", "more": more}, has_more="more") == Stop("has_more_false")


def test_more_without_a_token_is_an_error() -> None:
    with pytest.raises(ApiAnswerError, match="says that more follows"):
        step({"more": True}, has_more="more")


@pytest.mark.parametrize("token", [{"a": 1}, [1], True])
def test_only_texts_and_numbers_fit_into_a_query(token: Any) -> None:
    with pytest.raises(ApiAnswerError, match="not a text or a number"):
        step({"next": token})


class TestCursorInAHeader(PaginatorContract):
    settings: ClassVar = {"type": "cursor", "param": "after", "next_header": "X-Next-Cursor"}
    ends: ClassVar = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.query.get("after", "0"))
            more = {"X-Next-Cursor": str(start + size)} if start + size < len(records) else {}
            return answer({"items": records[start : start + size]}, headers=more)

        return page


@pytest.mark.parametrize("places", [{}, {"next": "next", "next_header": "X-Next"}])
def test_the_cursor_is_in_one_place(places: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="and not both"):
        paginator({"type": "cursor", **places})
