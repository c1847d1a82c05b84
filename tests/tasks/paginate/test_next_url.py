from __future__ import annotations

from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import paginator

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop


def linked(records: list[Any], size: int, link: str, name: str = "next") -> Any:
    def page(request: web.Request) -> Any:
        start = int(request.query.get("from", "0"))
        assert len(request.query.getall("status", [])) <= 1
        end = start + size
        url = link.format(origin=request.url.origin(), end=end)
        return {"items": records[start:end], name: url if end < len(records) else None}

    return page


class TestAbsolute(PaginatorContract):
    settings: ClassVar = {"type": "next_url", "next": "@odata.nextLink"}
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        link = "{origin}/orders?status=any&from={end}"
        return linked(records, size, link, "@odata.nextLink")


class TestRelative(PaginatorContract):
    settings: ClassVar = {"type": "next_url", "next": "next"}
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        return linked(records, size, "/orders?from={end}")


class TestQueryOnly(PaginatorContract):
    settings: ClassVar = {"type": "next_url", "next": "next"}
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        return linked(records, size, "?from={end}")


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://a/v1/orders?page=2", "https://a/v1/orders?page=2"),
        ("/v2/orders?page=2", "http://a/v2/orders?page=2"),
        ("orders?page=2", "http://a/v1/orders?page=2"),
        ("?page=2", "http://a/v1/orders?page=2"),
        ("//b/orders", "http://b/orders"),
    ],
)
def test_a_link_is_resolved_against_the_answering_url(link: str, url: str) -> None:
    made = paginator({"type": "next_url", "next": "next"})
    request = ApiRequest("GET", "/orders", params={"page": 1}, headers={"X": "1"})
    assert made.next(request, page_of({"next": link})) == ApiRequest("GET", url, headers={"X": "1"})


@pytest.mark.parametrize("link", [7, {"href": "/x"}, True, "http://[a"])
def test_a_link_that_is_no_url_is_an_error(link: Any) -> None:
    made = paginator({"type": "next_url", "next": "next"})
    with pytest.raises(ApiAnswerError, match=r"no(t a)? URL"):
        made.next(ApiRequest("GET", "/"), page_of({"next": link}))


@pytest.mark.parametrize("body", [{}, {"next": None}, {"next": ""}, {"next": False}])
def test_no_link_is_the_end(body: Any) -> None:
    made = paginator({"type": "next_url", "next": "next"})
    assert made.next(ApiRequest("GET", "/"), page_of(body)) == Stop("no_next")
