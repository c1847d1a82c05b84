from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import (
    COUNTED,
    RECORDS,
    TOKENS,
    ids,
    plan,
    read,
)
from tests.support.server import serve

from astrio.blocks.errors import (
    ApiAnswerError,
)


def tokens(*steps: tuple[int, str | None]) -> Callable[[web.Request], Any]:
    """Serve one page for each step: a record's ID (0: none) and the next token."""

    def page(request: web.Request) -> Any:
        place = len(seen)
        seen.append(request)
        number, following = steps[min(place, len(steps) - 1)]
        items = [{"id": number, "n": place if number < 0 else 0}] if number else []
        return {"items": items, "next": following}

    seen: list[web.Request] = []
    return page


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([(1, "a"), (2, "a")], "Page 2 leads back to where page 2 was"),
        ([(1, "a"), (2, "b"), (3, "a")], "Page 3 leads back to where page 2 was"),
        ([(1, "a"), (1, "b")], "Page 2 holds the same records as page 1"),
        ([(1, "a"), (2, "b"), (1, "c")], "Page 3 holds the same records as page 1"),
        ([(1, "a"), (1, None)], "Page 2 holds the same records as page 1"),
    ],
)
async def test_a_source_that_repeats_itself_is_an_error(steps: Any, message: str) -> None:
    with serve(tokens(*steps)) as server, pytest.raises(ApiAnswerError, match=message) as caught:
        await read(server.url, plan(TOKENS))
    assert "Check paginate" in caught.value.advice
    assert "(page " in (caught.value.request or "")


async def test_an_api_that_ignores_the_page_parameter_is_found_out() -> None:
    with (
        serve(lambda _: {"items": RECORDS, "total": 14}) as server,
        pytest.raises(ApiAnswerError, match="the same records"),
    ):
        await read(server.url, plan(COUNTED))


async def test_a_link_back_to_the_first_page_is_an_error() -> None:
    def page(request: web.Request) -> Any:
        number = int(request.query.get("p", "0"))
        return {"items": [{"id": number}], "next": f"/orders?p={(number + 1) % 3}"}

    with serve(page) as server, pytest.raises(ApiAnswerError, match=r"leads back|the same"):
        await read(server.url, plan({"type": "next_url", "next": "next"}))


async def test_empty_pages_are_passed_over_while_more_is_promised() -> None:
    steps = [(1, "a"), (0, "b"), (0, "c"), (2, None)]
    with serve(tokens(*steps)) as server:
        pages = await read(server.url, plan(TOKENS))
    assert ids(pages) == [1, 2]
    assert len(pages) == 4


async def test_a_hundred_empty_pages_in_a_row_are_too_many() -> None:
    def page(request: web.Request) -> Any:
        return {"items": [], "next": request.query.get("after", "") + "x"}

    with serve(page) as server, pytest.raises(ApiAnswerError, match="100 pages in a row are empty"):
        await read(server.url, plan(TOKENS))


async def test_a_next_link_to_another_origin_is_refused_before_anything_is_sent_there() -> None:
    with (
        serve(lambda _: {"items": []}) as other,
        serve(lambda _: {"items": [{"id": 1}], "next": other.url + "/orders"}) as server,
    ):
        with pytest.raises(ApiAnswerError, match="credentials are not sent there") as caught:
            await read(server.url, plan({"type": "next_url", "next": "next"}))
        assert other.url in caught.value.message
        assert server.url in caught.value.message
        assert "(page 1)" in (caught.value.request or "")
        assert not other.requests
