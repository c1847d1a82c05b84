"""Counting rows once over several destinations, and knowing a chunk again."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.destinations.base import StreamState, Written
from astrio.tasks.destinations.several.known import Known, name_of_record
from astrio.tasks.destinations.several.level import OWN, Standing, level
from astrio.tasks.destinations.several.merging import merged
from astrio.tasks.destinations.several.naming import of_run

FATES = ("written", "unchanged", "rejected", "failed", "filtered")
Table = list[list[str]]


def batch(rows: int) -> Batch:
    records = [{"id": number} for number in range(rows)]
    return Batch(Page(1, fetched=rows), ("id",), [(number,) for number in range(rows)], records)


def part(fates: Sequence[str]) -> Written:
    def rejects(fate: str) -> list[Reject]:
        problem = Problem(None, "destination", "no")
        found = [at for at, each in enumerate(fates) if each == fate]
        return [Reject({"id": at}, [problem]) for at in found]

    written, unchanged, filtered = map(list(fates).count, ("written", "unchanged", "filtered"))
    return Written(written, unchanged, rejects("rejected"), rejects("failed"), filtered)


@given(
    st.integers(2, 4).flatmap(
        lambda places: st.lists(
            st.lists(st.sampled_from(FATES), min_size=places, max_size=places), max_size=12
        )
    )
)
def test_each_row_counts_once_and_as_failed_if_anybody_refuses_it(rows: Table) -> None:
    places = len(rows[0]) if rows else 2
    parts = [part([row[place] for row in rows]) for place in range(places)]
    one = merged([batch(len(rows))], parts)
    refused = [row for row in rows if {"rejected", "failed"} & set(row)]
    wanting = [row for row in refused if set(row) == {"rejected"}]
    assert (len(one.failed), len(one.rejected)) == (len(refused) - len(wanting), len(wanting))
    total = one.written + one.unchanged + one.filtered + len(one.failed) + len(one.rejected)
    assert total == len(rows)
    assert min(one.written, one.unchanged, one.filtered) >= 0


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_what_was_written_is_known_again_as_often_as_it_was_written(
    before: list[int], again: list[int]
) -> None:
    known = Known(map(name_of_record, before))
    new = known.fresh([name_of_record(each) for each in again])
    written = [*before, *(each for each, fresh in zip(again, new, strict=True) if fresh)]
    for value in range(4):
        assert written.count(value) == max(before.count(value), again.count(value))


def standing(name: str, pages: int | None, since: int = 0, **state: object) -> Standing:
    point = None if pages is None else {"run_id": "run", "pages": pages, OWN: {"since": since}}
    return Standing(name, StreamState(resume=point, **state), appends=True)  # type: ignore[arg-type] # any field


def test_the_reading_goes_on_from_the_last_of_the_least_advanced() -> None:
    found = level([standing("a", 6, 4), standing("b", 4, 2), standing("c", 4, 2, watermark="c")])
    assert found.state.resume is not None
    assert (found.state.resume["pages"], found.state.watermark, found.run) == (4, "c", "run")


def test_one_that_has_ended_the_run_waits_for_the_others() -> None:
    found = level([standing("a", None, ended=of_run("run", "a")), standing("b", 4, 2)])
    assert found.state.resume is not None


def test_within_the_first_chunk_the_reading_begins_anew() -> None:
    found = level([standing("a", 2, 0), standing("b", None, unended=(of_run("run", "b"),))])
    assert found.state.resume is None


def test_the_lowest_watermark_counts_and_none_is_the_lowest() -> None:
    marks = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"]
    states = [standing(str(at), None, watermark=mark) for at, mark in enumerate(marks)]
    assert level(states).state.watermark == marks[1]
    assert level([*states, standing("new", None)]).state.watermark is None


def test_a_run_that_is_complete_in_one_and_not_in_another_is_told() -> None:
    done = standing("a", None, ended=of_run("run", "a"))
    assert level([done, standing("b", None, unended=(of_run("run", "b"),))]).run == "run"
    assert level([done, standing("b", None)]).run is None
