from __future__ import annotations

from typing import Any

import pytest
from tests.support.reading import RECORDS, ids, paginator, read
from tests.support.server import serve

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window, format_bound
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.read_plan import ReadPlan


def rows(*values: Any) -> list[Any]:
    return [{"at": value} for value in values]


@pytest.mark.parametrize(
    ("settings", "values", "highest"),
    [
        ({}, ["2026-01-02", "2026-01-03", None], "2026-01-03"),
        ({"form": "%d/%m/%Y"}, ["03/01/2026", "12/02/2025"], "2026-01-03T00:00:00+00:00"),
        (
            {"form": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
            ["03.07.2026 10:00", ""],
            "2026-07-03T10:00:00+02:00",
        ),
        ({"form": "%Y-%m-%d %H:%M %z"}, ["2026-01-02 03:04 +0500"], "2026-01-02T03:04:00+05:00"),
        (
            {"zone": "America/New_York"},
            ["2026-01-02 03:04:05.5"],
            "2026-01-02T03:04:05.500000-05:00",
        ),
        ({"zone": "Europe/Berlin"}, ["2026-01-02T03:04:05Z"], "2026-01-02T03:04:05Z"),
        ({"zone": "Europe/Berlin"}, [1700000000], 1700000000),
        ({}, [], None),
    ],
)
def test_the_highest_cursor_is_known(
    settings: dict[str, Any], values: list[Any], highest: Any
) -> None:
    seen = CursorReader("at", **settings).read(rows(*values))
    assert (seen.highest, seen.wanted, seen.past) == (highest, None, False)


def test_a_cursor_of_another_form_is_an_error_without_the_whole_value() -> None:
    reader = CursorReader("at", form="%d/%m/%Y")
    with pytest.raises(ApiAnswerError, match="'2026-01-02' is not written as"):
        reader.read(rows("2026-01-02"))
    with pytest.raises(ApiAnswerError, match="an object with the keys secret is not written as"):
        reader.read(rows({"secret": "value"}))


def test_records_below_the_bound_are_left_out_where_the_api_does_not() -> None:
    reader = CursorReader("at", start="2026-01-02")
    seen = reader.read(rows("2026-01-01", "2026-01-02", None))
    assert (seen.highest, seen.wanted, seen.past) == ("2026-01-02", [False, True, True], False)


def test_a_page_before_the_bound_ends_only_a_feed_that_is_newest_first() -> None:
    old = rows("2026-01-01", "2025-01-01")
    assert not CursorReader("at", start="2026-01-02").read(old).past
    newest = CursorReader("at", start="2026-01-02", newest_first=True)
    assert newest.read(old).past
    assert not newest.read([]).past
    assert not newest.read(rows("2026-01-01", "2026-01-05")).past


def test_records_without_a_cursor_are_kept_left_out_or_an_error() -> None:
    records = rows("2026-01-01", None, "0000-00-00 00:00:00")
    assert CursorReader("at").read(records).wanted is None
    assert CursorReader("at", missing="exclude").read(records).wanted == [True, False, False]
    with pytest.raises(ApiAnswerError, match="no cursor at at"):
        CursorReader("at", missing="error").read(records)


def test_the_api_is_trusted_with_the_bound_if_it_gets_it() -> None:
    told = IncrementalSettings(cursor="at", param="since")
    kept = IncrementalSettings(cursor="at")
    window = Window("2026-01-01", None)
    assert CursorReader.of(told, window) == CursorReader("at")
    assert CursorReader.of(kept, window) == CursorReader("at", start="2026-01-01")
    assert CursorReader.of(IncrementalSettings(token="next"), window) is None


@pytest.mark.parametrize(
    ("bound", "form", "sent"),
    [
        ("2026-07-03T10:00:00+02:00", "%d.%m.%Y %H:%M", "03.07.2026 10:00"),
        ("2026-07-02T23:00:00Z", "date", "2026-07-03"),
        ("2026-07-02T23:00:00Z", None, "2026-07-03T01:00:00"),
        ("2026-07-02 23:00:00.25Z", None, "2026-07-03 01:00:00.250000"),
        ("2026-07-02T23:00:00Z", "iso", "2026-07-02T23:00:00Z"),
        (1700000000, None, 1700000000),
    ],
)
def test_a_bound_is_sent_in_the_zone_of_the_api(bound: Any, form: str | None, sent: Any) -> None:
    assert format_bound(bound, form, "Europe/Berlin") == sent


async def test_a_newest_first_feed_is_read_to_the_first_page_that_is_older() -> None:
    feed = [{**each, "at": 100 - each["id"]} for each in RECORDS]  # 100 down to 94

    def page(request: Any) -> Any:
        start = (int(request.query["page"]) - 1) * 2
        return {"items": feed[start : start + 2], "total": len(feed)}

    made = paginator({"type": "page_number", "total": "total"})
    plan = ReadPlan(
        made.first(ApiRequest("GET", "/")),
        made,
        records="items",
        cursor=CursorReader("at", start=99, newest_first=True),
    )
    with serve(page) as server:
        pages = await read(server.url, plan)
        assert len(server.requests) == 2
    assert ids(pages) == [0, 1]
    assert [(page.fetched, page.filtered, page.stop_reason) for page in pages] == [
        (2, 0, None),
        (2, 2, "out_of_range"),
    ]
