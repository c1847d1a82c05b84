from __future__ import annotations

import itertools
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reading import RECORDS, client, ids, paginator, plan, read
from tests.support.server import serve

from astrio.tasks.fetching import fetch_pages
from astrio.tasks.overlap import DriftError, without_overlap

OVERLAP = {"type": "offset", "limit_param": "limit", "limit": 3, "overlap": 1}


class Moving:
    """An API by offset whose records change after so many pages."""

    def __init__(self, records: list[Any], changes: dict[int, Any]) -> None:
        self.records, self.changes, self.asked = list(records), dict(changes), 0

    def __call__(self, request: web.Request) -> Any:
        self.asked += 1
        change = self.changes.pop(self.asked, None)
        if change is not None:
            change(self.records)
        start = int(request.query["offset"])
        shown = self.records[start : start + int(request.query["limit"])]
        return {"items": shown, "total": len(self.records)}


def test_what_the_page_before_held_is_left_out() -> None:
    assert without_overlap([], [1, 2]) == [1, 2]
    assert without_overlap([2], [2, 3]) == [3]
    assert without_overlap([2], [0, 1, 2, 3]) == [3]
    assert without_overlap([1, 2], [1, 2, 3]) == [3]
    assert without_overlap([1, 2], [2, 3]) == [3]
    with pytest.raises(DriftError):
        without_overlap([2], [3, 4])
    with pytest.raises(DriftError):
        without_overlap([2], [])


def test_records_that_are_alike_hide_none_between_them() -> None:
    assert without_overlap([2], [2, 3, 2]) == [3, 2]
    assert without_overlap([2, 2], [2, 2, 3, 2]) == [3, 2]


@pytest.mark.parametrize("more", [{}, {"total": "total"}, {"total": "total", "parallel": 3}])
async def test_overlapping_pages_give_each_record_once(more: dict[str, Any]) -> None:
    with serve(Moving(RECORDS, {})) as server:
        pages = await read(server.url, plan({**OVERLAP, **more}))
    assert ids(pages) == list(range(7))


async def test_a_record_put_in_front_is_noticed_and_nothing_is_read_twice() -> None:
    api = Moving(RECORDS, {2: lambda records: records.insert(0, {"id": 99})})
    with serve(api) as server:
        assert ids(await read(server.url, plan(OVERLAP))) == list(range(7))


async def test_a_record_that_slipped_past_lets_the_reading_begin_anew() -> None:
    api = Moving(RECORDS, {2: lambda records: records.pop(0)})
    with serve(api) as server:
        async with client(server.url) as opened:
            pages = [page async for page in fetch_pages(opened, plan(OVERLAP))]
    again = [page.restart for page in pages].index(True)
    assert ids(pages[again:]) == list(range(1, 7))


async def test_a_reading_that_may_not_begin_anew_fails_instead() -> None:
    api = Moving(RECORDS, {2: lambda records: records.pop(0)})
    with serve(api) as server, pytest.raises(DriftError, match="may have been missed"):
        async with client(server.url) as opened:
            async for _ in fetch_pages(opened, plan(OVERLAP, may_restart=False)):
                pass


async def test_a_falling_total_puts_counted_pages_in_doubt() -> None:
    api = Moving(RECORDS, {2: lambda records: records.pop(0)})
    counted = {"type": "offset", "limit_param": "limit", "limit": 3, "total": "total"}
    with serve(api) as server:
        pages = await read(server.url, plan(counted))
    again = [page.restart for page in pages].index(True)
    assert ids(pages[again:]) == list(range(1, 7))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 15),
    changes=st.dictionaries(
        st.integers(2, 6), st.tuples(st.booleans(), st.integers(0, 14)), max_size=3
    ),
    more=st.sampled_from([{}, {"total": "total"}]),
)
async def test_a_source_that_moves_is_read_whole_or_not_at_all(
    count: int, changes: dict[int, tuple[bool, int]], more: dict[str, Any]
) -> None:
    removed: set[int] = set()
    numbers = itertools.count(100)

    def change(delete: bool, place: int) -> Any:
        def apply(records: list[Any]) -> None:
            if not delete:
                records.insert(place, {"id": next(numbers)})
            elif place < len(records):
                removed.add(records.pop(place)["id"])

        return apply

    api = Moving([{"id": n} for n in range(count)], {k: change(*v) for k, v in changes.items()})
    with serve(api) as server:
        async with client(server.url) as opened:
            try:
                read_ = [page async for page in fetch_pages(opened, plan({**OVERLAP, **more}))]
            except DriftError:
                return
    starts = [place for place, page in enumerate(read_) if page.restart]
    found = set(ids(read_[starts[-1] if starts else 0 :]))
    assert set(range(count)) - removed <= found


def test_an_overlap_as_long_as_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="less than `limit`"):
        paginator({**OVERLAP, "overlap": 3})
