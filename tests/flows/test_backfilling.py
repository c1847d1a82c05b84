"""Which chunks a backfill is cut into, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flows.backfills import Windowed

from astrio.blocks.errors import ConfigurationError
from astrio.flows.backfilling import chunks_of
from astrio.flows.parting import bound_name, once_name, part_name
from astrio.tasks.cursors import parse_cursor
from astrio.tasks.options import BackfillOptions, PartOptions

NOW = datetime(2026, 1, 4, 12, tzinfo=UTC)


def cut(
    watermark: Any = None, changes: dict[str, Any] | None = None, **options: Any
) -> list[PartOptions]:
    plan = Windowed().integration("sqlite:///items.db", **(changes or {}))
    return chunks_of(plan, BackfillOptions(**options), NOW, watermark)


def bounds(*args: Any, **options: Any) -> list[tuple[str | None, str | None]]:
    return [(each.since, each.until) for each in cut(*args, **options)]


def test_a_range_is_cut_into_days_of_which_the_last_may_be_a_part() -> None:
    assert bounds(since="2026-01-02") == [
        ("2026-01-02", "2026-01-03"),
        ("2026-01-03", "2026-01-04"),
        ("2026-01-04", "2026-01-04T12:00:00Z"),
    ]


@pytest.mark.parametrize(("version", "chunks"), [(None, 3), ("updated_at", 10)])
def test_what_lies_ahead_is_read_only_where_rows_have_a_version(
    version: str | None, chunks: int
) -> None:
    push = {} if version is None else {"version": version}
    assert len(cut(changes={"push": push}, since="2026-01-02", until="2026-01-12")) == chunks


def test_now_is_written_as_the_source_counts_seconds() -> None:
    found = bounds(1_700_000_000, since="1700000000", until="1900000000")
    assert found == [("1700000000", str(int(NOW.timestamp())))]


def test_hours_cut_a_range_of_dates_by_times() -> None:
    assert bounds(since="2026-01-02", until="2026-01-03", chunk="12h") == [
        ("2026-01-02T00:00:00Z", "2026-01-02T12:00:00Z"),
        ("2026-01-02T12:00:00Z", "2026-01-03"),
    ]


def test_bounds_are_written_as_the_source_writes_its_cursor() -> None:
    found = bounds("2026-01-01 00:00:00", since="2026-01-02", until="2026-01-03")
    assert found == [("2026-01-02 00:00:00", "2026-01-03 00:00:00")]


def test_a_range_of_ids_is_cut_by_a_number() -> None:
    found = bounds(5, since="10", until="25", chunk="10")
    assert found == [("10", "20"), ("20", "25")]


def test_a_range_of_ids_is_one_chunk_where_no_number_is_given() -> None:
    assert bounds(5, since="10", until="25") == [("10", "25")]


def test_a_source_that_has_no_upper_bound_is_read_in_one_chunk() -> None:
    assert bounds(changes={"incremental": {"end_param": None}}, since="2026-01-01") == [
        ("2026-01-01", "2026-01-04T12:00:00Z")
    ]


def test_the_range_begins_at_the_start_of_the_file_if_none_is_given() -> None:
    found = bounds(changes={"incremental": {"start": "2026-01-04"}})
    assert found == [("2026-01-04", "2026-01-04T12:00:00Z")]


@settings(deadline=None)
@given(hours=st.integers(1, 24 * 40), width=st.integers(1, 24 * 30))
def test_chunks_join_without_a_gap_and_end_where_the_range_does(hours: int, width: int) -> None:
    whole = datetime.fromtimestamp(1_700_000_000 + hours * 3600, UTC).isoformat()
    found = bounds(since="2023-11-14T22:13:20Z", until=whole, chunk=f"{width}h")
    assert len(found) == -(-hours // width)
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert parse_cursor(found[-1][1]).moment == datetime.fromisoformat(whole)


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"push": {"mode": "append", "key": []}}, {}, "add rows again"),
        ({"push": {"mode": "replace", "key": []}}, {}, "leave only its range"),
        ({"source": {"incremental": {"token": "$.t", "param": "t"}}}, {},
         "needs source.incremental with a cursor"),
        ({}, {"columns": ("nope",)}, "does not have: nope"),
        ({}, {"columns": ("id",)}, "names the key"),
        ({"push": {"children": {"name": "names"}}}, {"columns": ("name",)}, "is no column: name"),
        ({"incremental": {"end_param": None}}, {"chunk": "1d"}, "needs incremental.param and"),
        ({}, {"chunk": "0"}, "wider than nothing"),
        ({}, {"chunk": "soon"}, "no duration"),
        ({}, {"chunk": "5"}, "does not fit"),
        ({}, {"chunk": "1s"}, "more than 10,000 chunks"),
        ({}, {"since": None}, "needs a beginning"),
        ({}, {"until": "2025-01-01"}, "window is empty"),
        ({}, {"until": "7"}, "different kinds"),
        ({"push": {"to": {"webhook": {"url": "https://example.com", "secret": "${env:S}"}}}},
         {"columns": ("name",)}, "events have none"),
    ],
)  # fmt: skip
def test_what_cannot_be_backfilled_is_refused(
    changes: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        cut(changes=changes, **{"since": "2026-01-02", **options})


@pytest.mark.parametrize(
    ("bound", "name"),
    [
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02 00:00:00", "2026-01-02"),
        ("2026-01-02T01:00:00+01:00", "2026-01-02"),
        ("2026-01-02T00:00:00.5Z", "2026-01-02T00:00:00.5Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("100", "100"),
        (None, ""),
    ],
)
def test_a_chunk_has_one_name_however_its_bounds_are_written(bound: Any, name: str) -> None:
    assert bound_name(bound) == name


def test_long_names_of_partitions_are_short_and_stay_apart() -> None:
    names = [part_name(PartOptions(partition=f"store={'x' * 100}{end}")) for end in "ab"]
    assert [len(name) for name in names] == [60, 60]
    assert len(set(names)) == 2


def test_a_chunk_is_remembered_for_what_the_file_says_now() -> None:
    chunk = PartOptions(since="2026-01-01", until="2026-01-02", backfill=True)
    plans = [
        Windowed().integration("sqlite:///items.db", **changes)
        for changes in (
            {},
            {"map": {"id": "id", "name": "upper(name)", "updated_at": "updated_at"}},
            {"source": {"request": {"path": "/others"}}},
        )
    ]
    names = {once_name(plan, chunk) for plan in plans}
    names.add(once_name(plans[0], chunk.model_copy(update={"columns": ("name",)})))
    assert len(names) == 4
    assert part_name(chunk) == "2026-01-01..2026-01-02"
