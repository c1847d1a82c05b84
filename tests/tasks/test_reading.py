from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from tests.contracts.paginator import paginator
from tests.support.reading import NO_RETRY, read
from tests.support.server import answer, paged, replies, serve

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    CredentialsError,
    RecordRejectedError,
)
from astrio.tasks.batch import Page
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paths import MissingPathError
from astrio.tasks.reading import ReadPlan, ResumeExpiredError

GET = ApiRequest("GET", "/orders")
RECORDS = [{"id": number} for number in range(7)]


def plan(settings: dict[str, Any] | None = None, **more: Any) -> ReadPlan:
    made = paginator(settings or {"type": "none"})
    return ReadPlan(made.first(GET), made, **{"records": "items", **more})


NUMBERED = {"type": "page_number"}
COUNTED = {"type": "page_number", "total": "total"}
TOKENS = {"type": "cursor", "param": "after", "next": "next"}


def ids(pages: list[Page]) -> list[int]:
    return [record["id"] for page in pages for record in page.records]


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


async def test_a_record_that_breaks_the_filter_goes_on_to_be_rejected() -> None:
    def keep(record: Any) -> Any:
        if record["id"] == 3:
            raise RecordRejectedError("no such field")
        return record["id"] == 5

    with serve(paged(RECORDS, 10)) as server:
        pages = await read(server.url, plan(COUNTED, keep=keep))
    assert ids(pages) == [3, 5]


async def test_a_page_tells_its_highest_cursor() -> None:
    records = [{"at": {"t": f"2024-05-0{day}"}} for day in (2, 9, 1)]
    with serve(paged([*records, {"at": None}, {}, "x"], 4)) as server:
        pages = await read(server.url, plan(COUNTED, cursor="at.t"))
    assert [page.cursor for page in pages] == ["2024-05-09", None]


async def test_a_cursor_at_the_top_of_mixed_records_is_found() -> None:
    with serve(paged([{"at": 5}, "x", {"at": 7}], 4)) as server:
        assert (await read(server.url, plan(COUNTED, cursor="at")))[0].cursor == 7


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


# --- limits


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


# --- the claimed total


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


# --- endless sources


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
        assert not other.requests


# --- resuming


def resumed(**more: Any) -> ReadPlan:
    at = ApiRequest("GET", "/orders", params={"page": 2})
    return plan(COUNTED, resume=at, pages_before=1, received_before=3, claimed=7, **more)


async def test_a_resumed_reading_goes_on_counting() -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, resumed())
    assert [(page.number, page.fetched) for page in pages] == [(2, 3), (3, 1)]
    assert pages[-1].stop_reason == "total_reached"


async def test_a_reading_that_had_ended_asks_for_nothing() -> None:
    ended = plan(COUNTED, ended="total_reached", pages_before=3, received_before=7, claimed=7)
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, ended)
        assert not server.requests
    assert [(page.number, page.stop_reason, page.claimed) for page in pages] == [
        (3, "total_reached", 7)
    ]


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_a_position_that_the_api_no_longer_knows_is_told_apart(status: int) -> None:
    def refuse(request: web.Request) -> Any:
        return answer({"message": "expired"}, status)

    with serve(refuse) as server:
        with pytest.raises(ResumeExpiredError, match="expired"):
            await read(server.url, resumed())
        with pytest.raises(ApiAnswerError) as caught:
            await read(server.url, resumed().from_start())
    assert not isinstance(caught.value, ResumeExpiredError)


async def test_other_refusals_of_a_position_stay_what_they_are() -> None:
    with serve(lambda _: answer({}, 401)) as server, pytest.raises(CredentialsError):
        await read(server.url, resumed())
    with serve(lambda _: answer({}, 405)) as server, pytest.raises(ApiAnswerError) as caught:
        await read(server.url, resumed())
    assert not isinstance(caught.value, ResumeExpiredError)


async def test_a_later_page_that_is_gone_is_no_expired_position() -> None:
    with (
        serve(replies({"items": [{"id": 1}], "total": 7}, answer({}, 404))) as server,
        pytest.raises(ApiAnswerError) as caught,
    ):
        await read(server.url, resumed())
    assert not isinstance(caught.value, ResumeExpiredError)


# --- secrets


async def test_a_token_that_refers_to_a_variable_is_never_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER_SECRET", "canary-6601")
    body = {"items": [{"id": 1}], "next": "${env:OTHER_SECRET}"}
    with serve(lambda _: body) as server:
        with pytest.raises(ApiAnswerError, match="one of this machine's variables") as caught:
            await read(server.url, plan(TOKENS))
        assert len(server.requests) == 1
    assert "canary" not in str(caught.value)


async def test_a_stored_position_that_refers_to_another_variable_is_never_sent() -> None:
    at = ApiRequest("GET", "/orders", params={"after": "${env:HOME}"})
    with serve(lambda _: {"items": []}) as server:
        with pytest.raises(ApiAnswerError, match="variables"):
            await read(server.url, plan(TOKENS, resume=at))
        assert not server.requests


async def test_secrets_that_an_api_repeats_in_its_link_are_not_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "canary-1")
    auth = {"type": "api_key", "query": "key", "value": "canary-2"}

    def page(request: web.Request) -> Any:
        number = int(request.query.get("p", "0"))
        link = f"/orders?p={number + 1}&key=canary-2&shop=canary-1&z=%2F+x"
        return {"items": [{"id": number}], "next": link if number < 2 else None}

    made = paginator({"type": "next_url", "next": "next"})
    first = replace(GET, params={"shop": "${env:SHOP_TOKEN}"})
    with serve(page) as server:
        pages = await read(server.url, ReadPlan(first, made, records="items"), auth=auth)
        stored = json.dumps([page.resume for page in pages])
        assert "canary" not in stored
        assert "z=%2F+x" in stored
        for seen in server.requests:
            assert (seen.query["key"], seen.query["shop"]) == (["canary-2"], ["canary-1"])
    assert ids(pages) == [0, 1, 2]


async def test_a_link_without_repeated_secrets_is_kept_as_it_is() -> None:
    auth = {"type": "api_key", "query": "key", "value": "canary-2"}

    def page(request: web.Request) -> Any:
        following = None if "p" in request.query else "/orders?p=1&z=%2F+x"
        return {"items": [{"id": len(request.query)}], "next": following}

    with serve(page) as server:
        pages = await read(server.url, plan({"type": "next_url", "next": "next"}), auth=auth)
        assert pages[0].resume is not None
        assert pages[0].resume["url"] == server.url + "/orders?p=1&z=%2F+x"
