"""Random paginated services: every record, or an error; never silently fewer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reading import NO_RETRY, paginator, read
from tests.support.server import answer, serve

from astrio.blocks.errors import AstrioError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.reading import ReadPlan

PAGINATORS: list[dict[str, Any]] = [
    {"type": "page_number"},
    {"type": "page_number", "total": "total"},
    {"type": "page_number", "has_more": "more"},
    {"type": "offset", "limit_param": "limit", "limit": 5},
    {"type": "offset", "total": "total"},
    {"type": "offset", "has_more": "more", "total": "total"},
    {"type": "cursor", "next": "token"},
    {"type": "cursor", "next": "token", "has_more": "more"},
    {"type": "next_url", "next": "url"},
    {"type": "link_header"},
    {"type": "page_number", "total": "saturated", "total_saturates": 10},
    {"type": "offset", "limit_param": "limit", "limit": 5, "overlap": 2},
    {"type": "scroll", "next": "token", "has_more": "more", "request": {"path": "/scroll"}},
]


@dataclass
class Service:
    """An API that pages as it likes.

    `sizes` are the page sizes, over and over (0: an empty page although more follows, which only
    tokens can express); `repeats` the page whose token leads back to itself; `breaks` the page
    that is answered with an error.
    """

    count: int
    sizes: list[int]
    repeats: int | None
    breaks: int | None
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        place = 0
        while place < self.count:
            self.starts.append(place)
            place += self.sizes[len(self.starts) % len(self.sizes)]
        self.starts.append(self.count)

    async def __call__(self, request: web.Request) -> Any:
        if request.method == "POST":
            return self.answered(request, int((await request.json())["scroll_id"]))
        if "page" in request.query:
            return self.answered(request, int(request.query["page"]) - 1)
        if "offset" in request.query:
            offset = int(request.query["offset"])
            size = max(self.sizes)
            return self.body(request, offset, offset + size, 0)
        return self.answered(request, int(request.query.get("cursor", "0")))

    def answered(self, request: web.Request, number: int) -> Any:
        if number == self.breaks:
            return answer({"message": "broken"}, 400)
        if number >= len(self.starts) - 1:
            return self.body(request, self.count, self.count, number)
        return self.body(request, self.starts[number], self.starts[number + 1], number)

    def body(self, request: web.Request, start: int, end: int, number: int) -> Any:
        more = end < self.count
        following = number if number == self.repeats else number + 1
        url = f"{request.url.origin()}/orders?cursor={following}"
        body = {
            "items": [{"id": index} for index in range(start, min(end, self.count))],
            "total": self.count,
            "saturated": min(self.count, 10),
            "more": more,
            "token": str(following) if more else None,
            "url": url if more else None,
        }
        return answer(body, headers={"Link": f'<{url}>; rel="next"'} if more else {})


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 25),
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=4).filter(any),
    repeats=st.none() | st.integers(0, 5),
    breaks=st.none() | st.integers(0, 9),
)
def test_every_record_is_read_or_the_reading_fails(
    count: int, sizes: list[int], repeats: int | None, breaks: int | None
) -> None:
    expected = list(range(count))
    for setting in PAGINATORS:
        tokens = setting["type"] not in ("page_number", "offset") or "has_more" in setting
        service = Service(count, sizes if tokens else [max(s, 1) for s in sizes], repeats, breaks)
        made = paginator(setting)
        plan = ReadPlan(made.first(ApiRequest("GET", "/orders")), made, records="items")
        with serve(service) as server:
            try:
                pages = asyncio.run(read(server.url, plan, retry=NO_RETRY))
            except AstrioError:
                assert repeats is not None or breaks is not None, setting
                continue
        read_ids = [record["id"] for page in pages for record in page.records]
        assert read_ids == expected, setting
