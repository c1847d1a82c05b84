"""Figures of a field: right for whatever values come, and never a text's own value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrio.tasks.batch import Field
from astrio.tasks.quality.distinct import Distinct
from astrio.tasks.quality.field import FieldProfile
from astrio.tasks.quality.figures import FieldFigures

NAN = float("nan")
PARIS = timezone(timedelta(hours=1))


def figures(*chunks: list[Any]) -> FieldFigures:
    """Return the figures of a field whose values came in these chunks."""
    profile = FieldProfile()
    for values in chunks:
        profile.add(Field(values, frozenset(map(type, values))))
    return profile.figures(sum(map(len, chunks)), invalid=0)


def test_nulls_kinds_and_bounds_are_counted_over_all_chunks() -> None:
    told = figures([3, None, 7], [None, 1.5], [], [None])
    assert (told.filled, told.nulls, told.kinds) == (3, 3, ["number"])
    assert (told.min, told.max, told.distinct) == (1.5, 7, 3)
    assert (told.shortest, told.longest) == (None, None)


def test_of_texts_only_lengths_are_told() -> None:
    told = figures(["secret", "", None], ["sécrét!"])
    assert (told.shortest, told.longest, told.distinct) == (0, 7, 3)
    assert (told.min, told.max) == (None, None)
    assert "crét" not in told.model_dump_json()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([NAN, 2.0, 1.0, NAN], 1.0, 2.0),
        ([NAN], None, None),
        ([float("inf"), 1.0], 1.0, "inf"),
        ([float("inf"), float("-inf")], "-inf", "inf"),
        ([10**40, -5], -5, 10**40),
        ([Decimal("1.10"), Decimal("NaN"), Decimal("sNaN")], "1.10", "1.10"),
        ([Decimal("0.5"), 3, 0.25], 0.25, 3),
        ([date(2026, 1, 2), date(2025, 1, 1)], "2025-01-01", "2026-01-02"),
        ([True, False], None, None),
        (["a", 5], 5, 5),
    ],
)
def test_bounds_are_those_of_numbers_and_dates(values: list[Any], low: Any, high: Any) -> None:
    told = figures(values)
    assert (told.min, told.max) == (low, high)


def test_moments_are_compared_in_utc_with_or_without_a_zone() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    told = figures([noon, datetime(2026, 1, 1, 11)], [datetime(2026, 1, 1, 12, 30, tzinfo=PARIS)])  # noqa: DTZ001 (without a zone)
    assert (told.min, told.max) == ("2026-01-01T11:00:00+00:00", "2026-01-01T12:00:00+00:00")
    assert figures([datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))]).filled == 1


def test_objects_have_no_number_of_different_values() -> None:
    told = figures([1, 2], [{"a": 1}, [1]], [3])
    assert told.distinct is None
    assert told.kinds == ["list", "number", "object"]
    assert told.filled == 5


def test_a_value_of_an_unknown_type_is_named_by_it() -> None:
    class Contrary:
        def __eq__(self, other: object) -> bool:
            raise ValueError

        def __hash__(self) -> int:
            raise ValueError

    told = figures([Contrary(), None, 5], [Contrary()])
    assert (told.kinds, told.filled, told.nulls) == (["Contrary", "number"], 3, 1)
    assert (told.max, told.distinct) == (5, 1)


@settings(max_examples=200)
@given(
    st.lists(
        st.lists(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.decimals()
            | st.text()
            | st.dates()
            | st.datetimes(timezones=st.none() | st.timezones())
            | st.lists(st.integers()),
            max_size=6,
        ),
        max_size=4,
    )
)
def test_whatever_comes_has_figures_that_are_json(chunks: list[list[Any]]) -> None:
    told = figures(*chunks)
    everything = [value for chunk in chunks for value in chunk]
    assert told.nulls == everything.count(None)
    assert told.filled + told.nulls == len(everything)
    assert FieldFigures.model_validate_json(told.model_dump_json()) == told


@pytest.mark.parametrize("number", [0, 1, 2048])
def test_few_different_values_are_counted_exactly(number: int) -> None:
    distinct = Distinct()
    for _ in range(3):
        distinct.add([f"value {each}" for each in range(number)])
    assert distinct.estimate() == number


@pytest.mark.parametrize(
    "make",
    [int, float, str, lambda n: n * 2**40, lambda n: n / 100, lambda n: date.fromordinal(n + 1)],
)
def test_many_different_values_are_estimated_whatever_they_are(make: Any) -> None:
    distinct, number = Distinct(), 200_000
    for start in range(0, number, 5_000):
        distinct.add([make(each) for each in range(start, start + 5_000)])
        distinct.add([make(each) for each in range(start, start + 1_000)])
    assert abs(distinct.estimate() / number - 1) < 0.15
