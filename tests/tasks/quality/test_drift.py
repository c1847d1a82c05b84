"""Drift is told once, when it is sure, and never of a field that few records happen to lack."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.quality.drift import MOST_FIELDS, Baseline, Seen
from astrio.tasks.quality.figures import Changes
from astrio.tasks.quality.profile import Profile


class Stream:
    """Runs of a stream, each compared with those before."""

    def __init__(self, *, mapped: bool = False) -> None:
        self.mapped = mapped
        self.baseline = Baseline()

    def run(self, records: int, **fields: tuple[int, str]) -> Changes:
        """Return the changes of a run in which fields have so many values of a kind."""
        seen = {name: Seen(filled, set(kinds.split())) for name, (filled, kinds) in fields.items()}
        changes = self.baseline.changes(records, seen, mapped=self.mapped)
        after = self.baseline.after(records, seen, changes)
        self.baseline = Baseline.of(after.document())
        return changes


def test_the_first_run_and_a_like_one_tell_nothing() -> None:
    stream = Stream()
    assert not stream.run(100, a=(100, "text"), b=(0, ""))
    assert not stream.run(90, a=(80, "text"), b=(0, ""))


def test_a_field_that_appears_is_told_once() -> None:
    stream = Stream()
    stream.run(100, a=(100, "text"))
    assert stream.run(1, a=(1, "text"), b=(1, "text")) == Changes(appeared=["b"])
    assert not stream.run(1, a=(1, "text"), b=(1, "text"))


def test_a_field_that_vanishes_is_told_once_and_again_when_it_comes_back() -> None:
    stream = Stream()
    stream.run(100, a=(100, "text"), b=(100, "text"))
    assert stream.run(100, a=(100, "text")) == Changes(vanished=["b"])
    assert not stream.run(100, a=(100, "text"))
    assert stream.run(100, a=(100, "text"), b=(1, "text")) == Changes(appeared=["b"])


@pytest.mark.parametrize(
    ("share", "records", "told"),
    [(100, 9, False), (100, 10, True), (5, 199, False), (5, 200, True), (1, 500, False)],
)
def test_a_field_has_vanished_when_ten_records_should_have_had_it(
    share: int, records: int, told: bool
) -> None:
    stream = Stream()
    stream.run(1000, a=(1000, "text"), rare=(10 * share, "text"))
    assert stream.run(records, a=(records, "text")) == Changes(vanished=["rare"] * told)


def test_small_runs_that_lack_a_field_do_not_make_it_forgotten() -> None:
    stream = Stream()
    stream.run(1000, a=(1000, "text"), b=(500, "text"))
    for _ in range(5):
        assert not stream.run(2, a=(2, "text"))
    assert not stream.run(100, a=(100, "text"), b=(50, "text"))


def test_a_change_of_type_is_told_once() -> None:
    stream = Stream()
    stream.run(100, a=(100, "number"))
    assert stream.run(100, a=(100, "text")) == Changes(changed={"a": "number to text"})
    assert not stream.run(100, a=(100, "text number"))


def test_a_mixed_field_tells_only_kinds_that_are_new() -> None:
    stream = Stream()
    stream.run(100, a=(100, "number text"))
    assert not stream.run(100, a=(100, "number"))
    assert stream.run(100, a=(100, "list")) == Changes(changed={"a": "number/text to list"})


def test_what_changes_in_a_mapping_is_no_drift() -> None:
    stream = Stream(mapped=True)
    stream.run(100, a=(100, "text"), b=(100, "text"), c=(0, ""))
    changes = stream.run(100, a=(0, ""), c=(5, "text"), d=(100, "text"))
    assert changes == Changes(appeared=["c"], vanished=["a"])


def test_too_few_earlier_records_tell_nothing() -> None:
    stream = Stream()
    stream.run(9, a=(9, "text"))
    assert not stream.run(1000, b=(1000, "text"))


def test_a_run_without_records_is_no_run() -> None:
    stream = Stream()
    stream.run(100, a=(100, "text"))
    assert not stream.run(0)
    assert stream.baseline.share("a") == 1.0


def test_what_is_remembered_is_bounded() -> None:
    stream = Stream()
    for start in (0, 400, 800):
        stream.run(10, **{f"f{n}": (10, "text") for n in range(start, start + 400)})
    assert len(stream.baseline.fields) == MOST_FIELDS


# A run's profile.


def batch(columns: str, *rows: tuple[Any, ...], sources: list[Any] | None = None) -> Batch:
    return Batch(Page(1), tuple(columns.split()), list(rows), sources or [{}] * len(rows))


def test_records_of_every_shape_count_for_every_field() -> None:
    profile = Profile(mapped=False, sources=False)
    profile.add([batch("a b", (1, "x"), (2, None)), batch("a", (3,)), batch("b a", ("y", None))])
    told = profile.figures()
    assert (told["a"].filled, told["a"].nulls) == (3, 1)
    assert (told["b"].filled, told["b"].nulls) == (2, 2)


def test_rejects_count_as_invalid_once_for_each_field() -> None:
    profile = Profile()
    reject = Reject(
        {}, [Problem("a", "min", "x"), Problem("a", "type", "x"), Problem(None, "m", "")]
    )
    rows = batch("a", (1,))
    rows.rejects = [reject, Reject({}, [Problem("z", "map", "")])]
    profile.add([rows], [Reject({}, [Problem("a", "contract", "")])])
    assert {name: each.invalid for name, each in profile.figures().items()} == {"a": 2, "z": 1}
    assert profile.rejected == 2


def test_source_records_are_compared_before_they_are_mapped() -> None:
    earlier = None
    drifts = []
    for record in ({"id": 1, "old": 1}, {"id": "1", "new": 1}):
        profile = Profile()
        profile.add([batch("id", *[(1,)] * 60, sources=[record] * 60)])
        drift, earlier = profile.compared(earlier)
        drifts.append(drift.source)
    assert not drifts[0]
    assert drifts[1] == Changes(
        appeared=["new"], vanished=["old"], changed={"id": "number to text"}
    )


def test_a_few_source_records_of_a_chunk_are_enough() -> None:
    class Counted(list[Any]):
        asked = 0

        def __getitem__(self, place: Any) -> Any:
            self.asked += 1
            return super().__getitem__(place)

    sources = Counted([{"id": 1}] * 3_000 + ["no object"])
    profile = Profile()
    profile.add([batch("id", *[(1,)] * 3_001, sources=sources), batch("id", (1,))])
    assert 50 <= sources.asked <= 52


def test_fields_beyond_the_first_500_are_counted_but_not_tracked() -> None:
    profile = Profile(mapped=False, sources=False)
    columns = " ".join(f"f{n}" for n in range(600))
    profile.add([batch(columns, tuple(range(600)))] * 2)
    assert len(profile.figures()) == MOST_FIELDS
    assert profile.scope.untracked == 100


def test_different_values_are_counted_to_the_end_only_where_that_is_asked_for() -> None:
    profile = Profile(count_all={"a"})
    for start in range(0, 60_000, 5_000):
        rows = [(number, number, [number]) for number in range(start, start + 5_000)]
        profile.add([batch("a b c", *rows)])
    told = profile.figures()
    assert (told["a"].distinct_of, told["b"].distinct_of, told["c"].distinct_of) == (
        60_000,
        20_000,
        0,
    )
    assert abs((told["a"].distinct or 0) - 60_000) < 9_000
    assert (told["b"].max, told["c"].distinct) == (59_999, None)


def test_of_many_chunks_every_fourth_is_looked_at() -> None:
    profile, earlier = Profile(), None
    for _ in range(12):
        profile.add([batch("id", *[(1,)] * 100, sources=[{"id": 1}] * 100)])
    earlier = profile.compared(earlier)[1]
    assert earlier is not None
    assert earlier["source"]["records"] == 50 * (4 + 2)
