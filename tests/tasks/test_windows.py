"""Windows: a slice read piece by piece, and split where the API caps its results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reading import ids, paginator, read
from tests.support.server import serve

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.cursors import middle, parse_cursor
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.read_plan import ReadPlan, place_of, request_of
from astrio.tasks.windows import Windows, windows_of

START, END = "2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z"
FIRST = datetime.fromisoformat(START)
PAGES = {"type": "page_number", "total": "total"}


def record(number: int, hours: float | None = None) -> dict[str, Any]:
    moment = FIRST + timedelta(hours=number * 10 if hours is None else hours)
    return {"id": number, "at": moment.isoformat().replace("+00:00", "Z")}


RECORDS = [record(number) for number in range(24)]  # ten days, one each ten hours


def archive(
    records: list[dict[str, Any]], size: int = 3, cap: int = 10**9, *, totals: bool = True
) -> Callable[[web.Request], Any]:
    """An API that gives the records of [from, to), `cap` at most, and hides the rest."""

    def page(request: web.Request) -> Any:
        start, end = request.query["from"], request.query["to"]
        chosen = [each for each in records if start <= each["at"] < end]
        shown, place = chosen[:cap], (int(request.query["page"]) - 1) * size
        body = {"items": shown[place : place + size]}
        return {**body, "total": min(len(chosen), cap)} if totals else body

    return page


def windows(step: Any = None, cap: int | None = None, **more: Any) -> Windows:
    made = windows_of(
        IncrementalSettings(
            cursor="at", param="from", end_param="to", start=START, step=step, **more
        ),
        Window(START, END),
        cap,
        lambda window: ApiRequest(
            "GET", "/", params={"from": window.start, "to": window.end, "page": 1}
        ),
    )
    assert made is not None
    return made


def plan(made: Windows, setting: dict[str, Any] | None = None, **more: Any) -> ReadPlan:
    first = made.request(made.first())
    pages = paginator(setting or PAGES)
    cursor = CursorReader("at")
    return ReadPlan(first, pages, records="items", cursor=cursor, windows=made, **more)


@pytest.mark.parametrize("step", ["1d", "3d", "5h", "20d"])
async def test_every_record_of_every_window_is_read_once(step: str) -> None:
    with serve(archive(RECORDS)) as server:
        pages = await read(server.url, plan(windows(step)))
        asked = [each.query["from"][0] for each in server.requests]
    assert ids(pages) == list(range(24))
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert [page.stop_reason for page in pages][-1] == "total_reached"
    assert not any(page.stop_reason for page in pages[:-1])
    assert pages[-1].claimed == 24
    assert asked == sorted(asked)


async def test_the_cursor_is_told_when_its_window_is_whole() -> None:
    with serve(archive(RECORDS)) as server:
        pages = await read(server.url, plan(windows("5d")))
    told = [(page.number, page.cursor) for page in pages if page.cursor]
    assert told == [(4, RECORDS[11]["at"]), (8, RECORDS[23]["at"])]


@pytest.mark.parametrize("totals", [True, False])
async def test_reading_goes_on_from_any_stored_position(totals: bool) -> None:
    setting = PAGES if totals else {"type": "page_number"}
    with serve(archive(RECORDS, totals=totals)) as server:
        whole = plan(windows("3d", 20), setting)
        pages = await read(server.url, whole)
        for page in pages[:-1]:
            stored = json.loads(json.dumps(page.resume))
            before = [each for each in pages if each.number <= page.number]
            rest = await read(
                server.url,
                replace(
                    whole,
                    resume=request_of(stored),
                    place=place_of(stored),
                    pages_before=page.number,
                    received_before=sum(each.fetched for each in before),
                ),
            )
            assert ids(before) + ids(rest) == list(range(24))
            assert rest[-1].claimed == (24 if totals else None)
            assert rest[-1].cursor == RECORDS[23]["at"]


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("step", [None, "4d"])
async def test_a_window_with_more_than_the_cap_is_halved(totals: bool, step: str | None) -> None:
    setting = PAGES if totals else {"type": "page_number"}
    with serve(archive(RECORDS, cap=5, totals=totals)) as server:
        pages = await read(server.url, plan(windows(step, cap=5), setting))
    assert ids(pages) == list(range(24))
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))


async def test_more_records_than_the_cap_at_one_moment_are_an_error() -> None:
    crowd = [record(number, hours=5) for number in range(6)]
    with serve(archive(crowd, cap=5)) as server, pytest.raises(ApiAnswerError) as caught:
        await read(server.url, plan(windows(cap=5)))
    assert "no smaller window" in str(caught.value)


async def test_a_window_that_disagrees_with_its_total_is_read_again() -> None:
    hidden = {"left": 1}
    whole = archive(RECORDS)

    def page(request: web.Request) -> Any:
        body = whole(request)
        if request.query["page"] == "1" and hidden["left"]:
            hidden["left"] = 0
            body["items"] = body["items"][:-1]
        return body

    with serve(page) as server:
        pages = await read(server.url, plan(windows("5d")))
    again = [page.restart for page in pages].index(True)
    assert ids(pages[again:]) == list(range(24))


async def test_a_limit_ends_the_reading_in_the_midst_of_the_windows() -> None:
    with serve(archive(RECORDS)) as server:
        pages = await read(server.url, plan(windows("1d"), limit=7))
    assert ids(pages) == list(range(7))
    assert (pages[-1].stop_reason, pages[-1].claimed) == ("limit", None)
    assert all(page.cursor != RECORDS[6]["at"] for page in pages)


async def test_a_source_without_records_is_one_empty_page_for_each_window() -> None:
    with serve(archive([])) as server:
        pages = await read(server.url, plan(windows("5d")))
    assert [(page.fetched, page.stop_reason) for page in pages] == [(0, None), (0, "total_reached")]
    assert pages[-1].claimed == 0


def test_windows_need_a_beginning_and_one_kind_of_cursor() -> None:
    settings_ = IncrementalSettings(cursor="id", param="a", end_param="b", start=1, step=10)
    with pytest.raises(ConfigurationError, match="beginning"):
        windows_of(settings_, Window(None, END), None, lambda _: ApiRequest("GET", "/"))
    with pytest.raises(ConfigurationError, match="a bound that counts"):
        windows_of(settings_, Window(1, END), None, lambda _: ApiRequest("GET", "/"))
    counting = windows_of(settings_, Window(1, 25), None, lambda _: ApiRequest("GET", "/"))
    assert counting is not None
    assert counting.first() == Window(1, 11)
    assert counting.half(Window(1, 11)) == Window(1, 6)
    assert counting.half(Window(1, 2)) is None


def test_a_step_below_what_the_cursor_tells_is_refused() -> None:
    made = replace(windows("1h"), whole=Window("2026-01-01", "2026-02-01"))
    with pytest.raises(ConfigurationError, match="smaller than what the cursor"):
        made.first()


def test_a_step_that_would_make_countless_windows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than 100,000 windows"):
        windows("5s")


def test_a_date_as_start_can_be_stepped_through_by_hours() -> None:
    made = windows_of(
        IncrementalSettings(cursor="at", param="a", end_param="b", start="2026-01-01", step="6h"),
        Window("2026-01-01", END),
        None,
        lambda _: ApiRequest("GET", "/"),
    )
    assert made is not None
    assert made.first() == Window("2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z")


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_middle_lies_between(first: int, last: int) -> None:
    found = middle(first, last)
    assert (found is None) if last - first < 2 else first < found < last
    texts = [datetime.fromtimestamp(each).astimezone().isoformat() for each in (first, last)]
    between = middle(*texts)
    if between is not None:
        assert parse_cursor(texts[0]) < parse_cursor(between) < parse_cursor(texts[1])
    else:
        assert last - first < 2


@settings(max_examples=60, deadline=None)
@given(
    hours=st.lists(st.integers(0, 239), max_size=30),
    cap=st.integers(2, 12),
    step=st.sampled_from([None, "1d", "3d", "7h"]),
    totals=st.booleans(),
)
async def test_no_cap_hides_a_record(
    hours: list[int], cap: int, step: str | None, totals: bool
) -> None:
    records = [record(number, each) for number, each in enumerate(hours)]
    setting = PAGES if totals else {"type": "page_number"}
    with serve(archive(records, cap=cap, totals=totals)) as server:
        try:
            pages = await read(server.url, plan(windows(step, cap=cap), setting))
        except ApiAnswerError:
            assert max(hours.count(hour) for hour in hours) >= cap
            return
    assert sorted(ids(pages)) == list(range(len(hours)))
