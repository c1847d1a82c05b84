from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import (
    COUNTED,
    NO_RETRY,
    NUMBERED,
    RECORDS,
    ids,
    plan,
    read,
)
from tests.support.server import answer, paged, replies, serve

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    RecordRejectedError,
)
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paths import MissingPathError


async def test_each_page_tells_its_number_count_and_next_request() -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, plan(COUNTED))
    assert [(page.number, page.fetched, page.claimed) for page in pages] == [
        (1, 3, 7),
        (2, 3, 7),
        (3, 1, 7),
    ]
    assert pages[0].resume == ApiRequest("GET", "/orders", params={"page": 2}).to_json()
    assert (pages[2].resume, pages[2].stop_reason) == (None, "total_reached")


async def test_filtered_records_are_counted_and_left_out() -> None:
    with serve(paged(RECORDS, 4)) as server:
        pages = await read(server.url, plan(NUMBERED, keep=lambda record: record["id"] % 2))
    assert ids(pages) == [1, 3, 5]
    assert [(page.fetched, page.filtered) for page in pages] == [(4, 2), (3, 2), (0, 0)]


async def test_a_record_that_breaks_the_filter_is_a_reject_of_its_page() -> None:
    def keep(record: Any) -> Any:
        if record["id"] == 3:
            raise RecordRejectedError("no such field")
        return record["id"] == 5

    with serve(paged(RECORDS, 10)) as server:
        pages = await read(server.url, plan(COUNTED, keep=keep))
    assert ids(pages) == [5]
    rejects = pages[0].rejects
    assert [each.record["id"] for each in rejects] == [3]
    assert [(each.rule, each.reason) for each in rejects[0].problems] == [
        ("filter", "no such field")
    ]
    assert pages[0].fetched == pages[0].filtered + 2


async def test_a_page_tells_its_highest_cursor() -> None:
    records = [{"at": {"t": f"2024-05-0{day}"}} for day in (2, 9, 1)]
    with serve(paged([*records, {"at": None}, {}, "x"], 4)) as server:
        pages = await read(server.url, plan(COUNTED, cursor=CursorReader("at.t")))
    assert [page.cursor for page in pages] == ["2024-05-09", None]


async def test_a_cursor_at_the_top_of_mixed_records_is_found() -> None:
    with serve(paged([{"at": 5}, "x", {"at": 7}], 4)) as server:
        assert (await read(server.url, plan(COUNTED, cursor=CursorReader("at"))))[0].cursor == 7


@pytest.mark.parametrize("body", [{}, {"items": None}, {"data": {"items": []}}])
async def test_a_missing_records_path_is_an_error_that_names_request_and_page(body: Any) -> None:
    with serve(lambda _: body) as server:
        with pytest.raises(MissingPathError) as caught:
            await read(server.url, plan())
        assert caught.value.request == f"GET {server.url}/orders (page 1)"
        pages = await read(server.url, plan(allow_missing=True))
    assert [(page.fetched, page.stop_reason) for page in pages] == [(0, "single_page")]


async def test_an_error_on_a_later_page_is_no_end() -> None:
    pages = [{"items": [{"id": 1}]}, answer({"message": "oops"}, 500)]
    with (
        serve(replies(*pages)) as server,
        pytest.raises(ApiUnavailableError, match="oops") as caught,
    ):
        await read(server.url, plan(NUMBERED), retry=NO_RETRY)
    assert "(page 2)" in (caught.value.request or "")


async def test_html_in_the_middle_is_an_error() -> None:
    with (
        serve(replies({"items": [{"id": 1}]}, "<html>Log in</html>")) as server,
        pytest.raises(ApiAnswerError, match="is HTML") as caught,
    ):
        await read(server.url, plan(NUMBERED))
    assert "(page 2)" in (caught.value.request or "")


async def test_no_content_means_no_records_only_if_that_is_allowed() -> None:
    with serve(lambda _: web.Response(status=204)) as server:
        with pytest.raises(MissingPathError):
            await read(server.url, plan())
        assert (await read(server.url, plan(allow_missing=True)))[0].fetched == 0


@pytest.mark.parametrize(
    ("limit", "fetched", "reason"),
    [(2, [2], "limit"), (3, [3], "limit"), (4, [3, 1], "limit"), (7, [3, 3, 1], "total_reached")],
)
async def test_a_limit_cuts_the_last_page(limit: int, fetched: list[int], reason: str) -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, plan(COUNTED, limit=limit))
    assert [page.fetched for page in pages] == fetched
    assert ids(pages) == list(range(min(limit, 7)))
    assert (pages[-1].stop_reason, pages[-1].resume) == (reason, None)


async def test_max_pages_is_a_limit_too() -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, plan({**COUNTED, "max_pages": 2}))
    assert [page.stop_reason for page in pages] == [None, "limit"]
    assert ids(pages) == list(range(6))


async def test_max_pages_that_suffice_are_no_limit() -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, plan({**COUNTED, "max_pages": 3}))
    assert pages[-1].stop_reason == "total_reached"


async def test_a_difference_from_the_claim_is_read_again_once() -> None:
    lost = [{"items": [{"id": 1}], "total": 2}, {"items": [], "total": 2}]
    found = [{"items": [{"id": 1}, {"id": 2}], "total": 2}]
    with serve(replies(*lost, *found)) as server:
        pages = await read(server.url, plan(COUNTED))
    assert [(page.restart, page.number, page.fetched) for page in pages] == [
        (False, 1, 1),
        (False, 2, 0),
        (True, 1, 2),
    ]
    assert pages[-1].stop_reason == "total_reached"


async def test_a_difference_that_stays_is_left_to_be_judged() -> None:
    with serve(
        lambda request: {"items": RECORDS[:1] * (request.query["page"] == "1"), "total": 3}
    ) as server:
        pages = await read(server.url, plan(COUNTED))
        assert len(server.requests) == 4
    assert [(page.restart, page.claimed) for page in pages] == [
        (False, 3),
        (False, 3),
        (True, 3),
        (False, 3),
    ]
    assert pages[-1].stop_reason == "empty_page"


@pytest.mark.parametrize("more", [{"may_restart": False}, {"limit": 1}])
async def test_a_difference_is_not_read_again_where_that_is_no_use(more: dict[str, Any]) -> None:
    with serve(
        lambda request: {"items": RECORDS[:1] * (request.query["page"] == "1"), "total": 3}
    ) as server:
        pages = await read(server.url, plan(COUNTED, **more))
    assert not [page for page in pages if page.restart]


async def test_the_latest_total_counts_and_may_be_told_on_the_first_page_only() -> None:
    bodies = [
        {"items": [{"id": 1}], "total": 2},
        {"items": [{"id": 2}], "total": 3},
        {"items": [{"id": 3}]},
    ]
    with serve(replies(*bodies)) as server:
        pages = await read(server.url, plan(COUNTED))
    assert [page.claimed for page in pages] == [2, 3, 3]


@pytest.mark.parametrize(("total", "claimed"), [("7", 7), (7.0, 7)])
async def test_a_total_may_be_written_in_other_ways(total: Any, claimed: int) -> None:
    with serve(lambda _: {"items": RECORDS, "total": total}) as server:
        assert (await read(server.url, plan(COUNTED)))[0].claimed == claimed


@pytest.mark.parametrize("total", [None, "many", True, -1, 1.5, {"value": 7}])
async def test_a_total_that_is_none_is_an_error(total: Any) -> None:
    with (
        serve(lambda _: {"items": RECORDS, "total": total}) as server,
        pytest.raises(ApiAnswerError, match="total at total is missing, or no number"),
    ):
        await read(server.url, plan(COUNTED))


async def test_a_declared_status_ends_the_source_but_not_on_its_first_page() -> None:
    pages = replies({"items": RECORDS[:2]}, {"items": RECORDS[2:4]}, answer({}, 404))
    settings = {**NUMBERED, "end_status": [404]}
    with serve(pages) as server:
        found = await read(server.url, plan(settings))
    assert [page.fetched for page in found] == [2, 2, 0]
    assert found[-1].stop_reason == "declared_status"
    with serve(lambda _: answer({}, 404)) as server, pytest.raises(ApiAnswerError, match="404"):
        await read(server.url, plan(settings))
