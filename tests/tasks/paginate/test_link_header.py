from __future__ import annotations

from typing import Any, ClassVar

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import paginator
from tests.support.server import answer

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop
from astrio.tasks.paginate.link_header import parse_links


class TestLinkHeader(PaginatorContract):
    settings: ClassVar = {"type": "link_header"}
    ends = "no_next"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.query.get("page_info", "0"))
            end = start + size
            links = f'<{request.url.origin()}/orders?page_info=0>; rel="first"'
            if end < len(records):
                links += f', <{request.url.origin()}/orders?page_info={end}>; rel="next"'
            return answer({"items": records[start:end]}, headers={"Link": links})

        return page


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ("", []),
        ("<a>; rel=next", [("a", ["next"])]),
        ('<a?b=1,2;3>; rel="next"', [("a?b=1,2;3", ["next"])]),
        ('<a>; rel="first", <b>; rel="NEXT last"', [("a", ["first"]), ("b", ["next", "last"])]),
        ('<a>;title="x, <y>; rel=prev";REL="next"', [("a", ["next"])]),
        ('<a> ; rel = "next" ; rel="prev"', [("a", ["next"])]),
        (r'<a>; title="say \"next\""; rel="next"', [("a", ["next"])]),
        ('<a>; rel="next"; anchor="#other", <b>; rel="next"', [("b", ["next"])]),
        ("<a>, <b>;rel=next", [("a", []), ("b", ["next"])]),
        (", ,<a>;rel=next,", [("a", ["next"])]),
        ("nonsense", []),
        ("<a; rel=next", []),
    ],
)
def test_links_are_read(header: str, links: list[Any]) -> None:
    assert list(parse_links(header)) == links


@given(st.text(alphabet='<>;,="\\ relnxta', max_size=40))
def test_any_header_is_read_without_failing(header: str) -> None:
    assert all(isinstance(url, str) for url, _ in parse_links(header))


def test_another_relation_may_be_followed() -> None:
    made = paginator({"type": "link_header", "rel": "prev"})
    answered = page_of([], headers={"link": '<b>; rel="next", <c>; rel="prev"'})
    step = made.next(ApiRequest("GET", "/"), answered)
    assert isinstance(step, ApiRequest)
    assert step.url == "http://a/v1/c"


def test_no_header_is_the_end() -> None:
    made = paginator({"type": "link_header"})
    assert made.next(ApiRequest("GET", "/"), page_of([])) == Stop("no_next")
