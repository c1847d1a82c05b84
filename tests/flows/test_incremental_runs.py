"""Several runs of one stream: windows, watermarks, and going on after a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import (
    Faulty,
    failed_run,
    last_report,
    query,
    rows_of,
    run,
    stored,
    watermark,
)
from tests.support.server import answer, serve

from astrio.flows.integration import Integration

FAR_FUTURE = "2999-01-01T00:00:00Z"
CURSOR = {"type": "cursor", "param": "cursor", "next": "$.next"}
OFFSET = {"type": "offset", "param": "offset", "limit_param": "limit", "limit": 10}
PAGE_NUMBER = {"type": "page_number", "param": "page", "size_param": "size", "size": 10}


def numbered(count: int) -> list[dict[str, Any]]:
    return [record(number) for number in range(count)]


def at(seconds: int) -> str:
    return str(record(seconds)["updated_at"])


def gone_wrong(_: web.Request) -> Any:
    return answer({"error": "no such thing"}, 404)


def incremental(
    url: str, database: Path, *, mode: str = "upsert", paginate: Any = CURSOR, **settings: Any
) -> Integration:
    """Return an incremental integration of `Faulty`."""
    slices = {"cursor": "updated_at", "param": "since", **settings}
    plan = integration(url, database, source={"paginate": paginate, "incremental": slices})
    return plan.model_copy(update={"push": plan.push.model_copy(update={"mode": mode})})


def test_the_first_run_without_start_sends_no_bound(tmp_path: Path) -> None:
    with Faulty(numbered(15)).serving() as api:
        report = run(incremental(api.server.url, tmp_path / "items.db"))
        assert all(set(each.query) <= {"cursor"} for each in api.server.requests)
    assert report.window.start is None


def test_the_first_run_sends_its_start_on_every_page(tmp_path: Path) -> None:
    with Faulty(numbered(35)).serving() as api:
        report = run(incremental(api.server.url, tmp_path / "items.db", start=at(10)))
        assert api.asked("since") == [at(10)] * 3
    assert report.window.start == at(10)
    assert report.records.fetched == 25


@pytest.mark.parametrize(
    ("value", "lookback", "sent"),
    [
        ("2026-01-01T00:00:09Z", "5s", "2026-01-01T00:00:04Z"),
        ("2026-01-01T00:00:09Z", None, "2026-01-01T00:00:09Z"),
        ("2026-01-01T00:00:09.250Z", "5s", "2026-01-01T00:00:04.250Z"),
        ("2026-01-01 00:00:09+02:00", "1h", "2025-12-31 23:00:09+02:00"),
        ("2026-01-01T00:00:09.123456-0500", "1d", "2025-12-31T00:00:09.123456-0500"),
        ("2026-01-10", "2d", "2026-01-08"),
        (1767225609, "5s", "1767225604"),
        (1767225609123, "5s", "1767225604123"),
        ("1767225609", "5s", "1767225604"),
        (4711, 11, "4700"),
    ],
)
def test_the_second_run_asks_from_its_watermark_minus_lookback_as_the_source_writes_it(
    tmp_path: Path, value: Any, lookback: Any, sent: str
) -> None:
    database = tmp_path / "items.db"
    with serve(lambda _: {"items": [record(1, updated_at=value)]}) as server:
        plan = incremental(server.url, database, lookback=lookback)
        report = run(plan)
        assert report.checkpoint == {"updated_at": value}
        assert watermark(database) == value
        run(plan)
        assert [each.query.get("since") for each in server.requests] == [None, [sent]]


def test_format_overrides_the_form_of_the_bound(tmp_path: Path) -> None:
    with Faulty(numbered(10)).serving() as api:
        plan = incremental(api.server.url, tmp_path / "items.db", format="%Y/%m/%d %H.%M.%S")
        run(plan)
        run(plan)
        assert api.asked("since") == [None, "2026/01/01 00.00.09"]


@pytest.mark.parametrize("end_param", [None, "until"])
def test_the_upper_bound_is_sent_only_where_the_file_names_its_parameter(
    tmp_path: Path, end_param: str | None
) -> None:
    with Faulty(numbered(15)).serving() as api:
        plan = incremental(api.server.url, tmp_path / "items.db", end_param=end_param)
        report = run(plan)
        sent = [each.query.get("until") for each in api.server.requests]
    expected = None if end_param is None else [report.window.end]
    assert sent == [expected, expected]


def test_only_what_changed_is_fetched_and_written_by_the_second_run(tmp_path: Path) -> None:
    database, records = tmp_path / "items.db", numbered(30)
    with Faulty(records).serving() as api:
        plan = incremental(api.server.url, database)
        run(plan)
        records[3] = record(3, name="Changed", updated_at=at(40))
        records.append(record(31, updated_at=at(41)))
        report = run(plan)
    assert report.window.start == at(29)
    assert report.records.fetched == 3
    assert (report.records.written, report.records.unchanged) == (2, 1)
    assert stored(database) == rows_of(records)
    assert watermark(database) == at(41)


def test_a_run_that_finds_nothing_leaves_the_watermark(tmp_path: Path) -> None:
    database, records = tmp_path / "items.db", numbered(10)
    with Faulty(records).serving() as api:
        plan = incremental(api.server.url, database)
        run(plan)
        records.clear()
        assert run(plan).state == "completed"
    assert watermark(database) == at(9)


def test_the_watermark_is_never_moved_back(tmp_path: Path) -> None:
    database, late = tmp_path / "items.db", record(50)
    with serve(lambda _: {"items": [late]}) as server:
        plan = incremental(server.url, database)
        run(plan)
        late["updated_at"] = at(20)
        run(plan)
    assert watermark(database) == at(50)


def test_a_full_refresh_ignores_the_watermark_then_sets_it_and_deletes_nothing(
    tmp_path: Path,
) -> None:
    database, records = tmp_path / "items.db", numbered(30)
    with Faulty(records).serving() as api:
        plan = incremental(api.server.url, database)
        run(plan)
        before = stored(database)
        del records[20:]
        api.asked("since")
        report = run(plan, full_refresh=True)
        assert api.asked("since") == [None, None]
        assert report.records.fetched == report.records.unchanged == 20
        assert stored(database) == before
        assert watermark(database) == at(19)


def test_a_full_refresh_that_is_resumed_without_the_flag_still_sets_the_watermark(
    tmp_path: Path,
) -> None:
    database, records = tmp_path / "items.db", numbered(30)
    with Faulty(records, at=10).serving() as api:
        plan = incremental(api.server.url, database)
        run(plan)
        del records[20:]
        api.fault = gone_wrong
        failed_run(plan, full_refresh=True)
        api.fault = None
        report = run(plan)
    assert report.records.fetched == 20
    assert watermark(database) == at(19)


@pytest.mark.parametrize(
    "options",
    [{"since": at(20)}, {"until": FAR_FUTURE}, {"since": at(5), "until": at(25)}, {"limit": 5}],
    ids=["since", "until", "both", "limit"],
)
@pytest.mark.parametrize("first", [True, False], ids=["first-run", "later-run"])
def test_a_run_with_bounds_of_its_own_never_moves_the_watermark(
    tmp_path: Path, options: dict[str, Any], first: bool
) -> None:
    database, records = tmp_path / "items.db", numbered(10)
    with Faulty(records).serving() as api:
        plan = incremental(api.server.url, database, end_param="until")
        if not first:
            run(plan)
        before = watermark(database)
        records.extend(record(number) for number in range(10, 40))
        api.asked("since")
        report = run(plan, **options)
        assert report.window.start == options.get("since", before)
        if "until" in options:
            assert set(api.asked("until")) == {options["until"]}
        assert watermark(database) == before
        run(plan)
    assert stored(database) == rows_of(records)
    assert watermark(database) == at(39)


def test_a_failed_run_leaves_the_watermark_and_its_rows_are_not_lost(tmp_path: Path) -> None:
    database, records = tmp_path / "items.db", numbered(10)
    with Faulty(records, at=10).serving() as api:
        plan = incremental(api.server.url, database)
        run(plan)
        records.extend(record(number) for number in range(10, 40))
        api.fault = gone_wrong
        failed_run(plan)
        assert watermark(database) == at(9)
        api.fault = None
        run(plan)
    assert watermark(database) == at(39)
    assert stored(database) == rows_of(records)


def test_a_record_dated_in_the_future_is_written_but_the_watermark_stays_within_the_window(
    tmp_path: Path,
) -> None:
    database, records = tmp_path / "items.db", [*numbered(10), record(10, updated_at=FAR_FUTURE)]
    with Faulty(records).serving() as api:
        report = run(incremental(api.server.url, database))
    assert stored(database) == rows_of(records)
    assert report.window.end is not None
    assert watermark(database) == report.window.end < FAR_FUTURE


@pytest.mark.parametrize(("is_sorted", "expected"), [(True, at(39)), (False, None)])
def test_only_a_sorted_source_moves_its_watermark_before_the_slice_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sorted: bool, expected: Any
) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_ROWS", 20)
    database, records = tmp_path / "items.db", numbered(75)
    with Faulty(records, at=40, fault=gone_wrong).serving() as api:
        plan = incremental(api.server.url, database, sorted=is_sorted)
        failed_run(plan)
        assert watermark(database) == expected
        api.fault = None
        run(plan)
    assert watermark(database) == at(74)
    assert stored(database) == rows_of(records)


@pytest.mark.parametrize("chunk", [10, 20, 5000])
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_resumed_run_goes_on_at_the_failed_page_and_counts_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, chunk: int
) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_ROWS", chunk)
    database, records = tmp_path / "items.db", numbered(75)
    with Faulty(records, at=40, fault=gone_wrong).serving() as api:
        plan = incremental(api.server.url, database, mode=mode)
        error = failed_run(plan)
        assert "(page 5)" in str(error.request)
        assert stored(database) == rows_of(records[:40])
        first = last_report(database)
        assert (first.pages, first.records.fetched, first.requests.sent) == (4, 40, 5)
        api.fault = None
        api.asked("cursor")
        report = run(plan)
        assert api.asked("cursor") == ["40", "50", "60", "70"]
    assert (report.pages, report.stop_reason) == (8, "no_next")
    assert report.records.fetched == report.records.written == 75
    assert report.window == first.window
    assert stored(database) == rows_of(records)
    assert watermark(database) == at(74)
    assert query(database, "SELECT count(*) FROM _astrio_run") == [(1,)]


def test_an_append_run_with_a_limit_does_not_touch_an_unfinished_one(tmp_path: Path) -> None:
    database, records = tmp_path / "items.db", numbered(35)
    with Faulty(records, at=20, fault=gone_wrong).serving() as api:
        plan = incremental(api.server.url, database, mode="append")
        failed_run(plan)
        error = failed_run(plan, limit=5)
        assert error.kind == "configuration"
        assert stored(database) == rows_of(records[:20])
        api.fault = None
        run(plan)
    assert stored(database) == rows_of(records)


@pytest.mark.parametrize(
    "options", [{"since": at(3)}, {"until": FAR_FUTURE}], ids=["since", "until"]
)
def test_an_unfinished_append_refuses_to_start_anew_with_other_bounds(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    database, records = tmp_path / "items.db", numbered(35)
    with Faulty(records, at=20, fault=gone_wrong).serving() as api:
        plan = incremental(api.server.url, database, mode="append")
        failed_run(plan)
        api.fault = None
        error = failed_run(plan, **options)
        assert "--full-refresh" in error.advice
        run(plan)
    assert stored(database) == rows_of(records)


def test_an_unfinished_upsert_starts_anew_when_its_source_was_changed(tmp_path: Path) -> None:
    database, records = tmp_path / "items.db", numbered(35)
    with Faulty(records, at=20, fault=gone_wrong).serving() as api:
        failed_run(incremental(api.server.url, database))
        api.fault = None
        api.asked("cursor")
        report = run(incremental(api.server.url, database, lookback="1m"))
        assert api.asked("cursor") == [None, "10", "20", "30"]
    assert report.records.fetched == 35
    assert (report.records.written, report.records.unchanged) == (15, 20)
    assert stored(database) == rows_of(records)


def test_offsets_and_append_stay_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_ROWS", 10)
    database, records = tmp_path / "items.db", numbered(35)
    with Faulty(records, at=20, fault=gone_wrong, param="offset").serving() as api:
        plan = incremental(api.server.url, database, mode="append", paginate=OFFSET)
        failed_run(plan)
        assert stored(database) == []
        kept = last_report(database)
        assert (kept.records.fetched, kept.records.written, kept.records.failed) == (20, 0, 20)
        assert watermark(database) is None
        api.fault = None
        api.asked("offset")
        report = run(plan)
        assert api.asked("offset") == ["0", "10", "20", "30", "35"]
    assert report.records.fetched == report.records.written == 35
    assert stored(database) == rows_of(records)
    assert watermark(database) == at(34)


def test_page_numbers_and_upsert_start_the_slice_again(tmp_path: Path) -> None:
    database, records, mended = tmp_path / "items.db", numbered(35), False

    def page(request: web.Request) -> Any:
        number = int(request.query["page"])
        if number == 3 and not mended:
            return gone_wrong(request)
        return {"items": records[(number - 1) * 10 : number * 10]}

    with serve(page) as server:
        plan = incremental(server.url, database, paginate=PAGE_NUMBER)
        failed_run(plan)
        assert stored(database) == rows_of(records[:20])
        mended = True
        server.requests.clear()
        report = run(plan)
        assert [each.query["page"][0] for each in server.requests] == ["1", "2", "3", "4", "5"]
    assert report.records.fetched == 35
    assert (report.records.written, report.records.unchanged) == (15, 20)
    assert stored(database) == rows_of(records)


def forgetful(request: web.Request, records: list[dict[str, Any]], known: str) -> Any:
    """Answer by cursors named after `known`; those of an earlier name are gone."""
    cursor = request.query.get("cursor", f"{known}:0")
    name, _, place = cursor.partition(":")
    if cursor == "a:20" == f"{known}:20":
        return gone_wrong(request)
    if name != known:
        return answer({"message": "cursor expired"}, 410)
    start = int(place)
    following = f"{known}:{start + 10}" if start + 10 < len(records) else None
    return {"items": records[start : start + 10], "next": following}


def test_an_upsert_whose_position_is_lost_reads_its_slice_again(tmp_path: Path) -> None:
    database, records, known = tmp_path / "items.db", numbered(35), ["a"]
    with serve(lambda request: forgetful(request, records, known[0])) as server:
        plan = incremental(server.url, database)
        failed_run(plan)
        known[0] = "b"
        records[0]["name"] = "Changed"
        report = run(plan)
    assert report.state == "completed"
    assert report.pages == 4
    assert report.records.fetched == report.records.written == 35
    assert stored(database) == rows_of(records)
    assert watermark(database) == at(34)


@pytest.mark.parametrize("unfinished", [{}, {"full_refresh": True}], ids=["plain", "refresh"])
def test_an_append_whose_position_is_lost_fails_until_a_full_refresh_is_asked_for(
    tmp_path: Path, unfinished: dict[str, Any]
) -> None:
    database, records, known = tmp_path / "items.db", numbered(35), ["a"]
    with serve(lambda request: forgetful(request, records, known[0])) as server:
        plan = incremental(server.url, database, mode="append")
        failed_run(plan, **unfinished)
        known[0] = "b"
        error = failed_run(plan)
        assert "410" in error.message
        assert "--full-refresh" in error.advice
        assert "(page 3)" in str(error.request)
        assert stored(database) == rows_of(records[:20])
        report = run(plan, full_refresh=True)
    assert report.records.fetched == report.records.written == 35
    assert len(stored(database)) == 55
    assert set(stored(database)) == set(rows_of(records))


@pytest.mark.parametrize(("is_sorted", "expected"), [(True, at(19)), (False, None)])
def test_max_pages_moves_the_watermark_only_of_a_sorted_source(
    tmp_path: Path, is_sorted: bool, expected: Any
) -> None:
    database = tmp_path / "items.db"
    with Faulty(numbered(35)).serving() as api:
        plan = incremental(
            api.server.url, database, paginate=CURSOR | {"max_pages": 2}, sorted=is_sorted
        )
        report = run(plan)
    assert report.stop_reason == "limit"
    assert watermark(database) == expected
    assert [each for each in report.warnings if "max_pages" in each] == report.warnings
    assert bool(report.warnings) is not is_sorted
