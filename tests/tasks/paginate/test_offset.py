from __future__ import annotations

from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import paginator

from astrio.tasks.http.request import ApiRequest


class TestUntilEmpty(PaginatorContract):
    settings: ClassVar = {"type": "offset", "limit_param": "limit", "limit": 100}
    ends = "empty_page"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start, asked = int(request.query["offset"]), int(request.query["limit"])
            return {"items": records[start : start + min(size, asked)]}

        return page


class TestInTheBody(PaginatorContract):
    settings: ClassVar = {
        "type": "offset",
        "in": "body",
        "param": "page.from",
        "total": "hits.total.value",
    }
    method = "POST"
    ends = "total_reached"

    def serves(self, records: list[Any], size: int) -> Any:
        async def page(request: web.Request) -> Any:
            start = (await request.json())["page"]["from"]
            total = {"total": {"value": len(records)}}
            return {"items": records[start : start + size], "hits": total}

        return page


class TestInAHeader(PaginatorContract):
    settings: ClassVar = {"type": "offset", "in": "header", "param": "X-Offset", "start": 1}
    ends = "empty_page"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.headers["X-Offset"]) - 1
            return {"items": records[start : start + size]}

        return page


@pytest.mark.parametrize(("received", "offset"), [(3, 13), (100, 110), (0, 60)])
def test_the_step_is_what_was_received_or_the_limit_past_an_empty_page(
    received: int, offset: int
) -> None:
    made = paginator({"type": "offset", "limit_param": "limit", "limit": 50, "has_more": "more"})
    request = ApiRequest("GET", "/", params={"offset": 10})
    step = made.next(request, page_of({"more": True}, [{"id": n} for n in range(received)]))
    assert isinstance(step, ApiRequest)
    assert step.params["offset"] == offset


@pytest.mark.parametrize("half", [{"limit": 5}, {"limit_param": "limit"}])
def test_a_limit_needs_its_parameter(half: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="together"):
        paginator({"type": "offset", **half})
