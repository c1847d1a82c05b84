from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.cursors import earlier, highest, like, parse_cursor
from astrio.tasks.durations import parse_duration, parse_lookback


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:01Z"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:01Z"),
        ("2024-05-01T10:00:00.9Z", "2024-05-01T10:00:00.91Z"),
        ("2024-05-01T10:00:00.123456788Z", "2024-05-01T10:00:00.123456789Z"),
        ("2024-05-01", "2024-05-01T00:00:01"),
        ("2024-05-01 10:00", "2024-05-01T10:00:00,5Z"),
        ("2024-05-01T10:00:00 -0200", "2024-05-01T12:00:01z"),
        ("2024-05-01T10:00:00+02", "2024-05-01T08:00:01Z"),
        (9, 10),
        ("9", "10"),
        (9, "10"),
        ("1503435956.000247", "1503435956.000248"),
        (1.5, 2),
        (10**30, 10**30 + 1),
    ],
)
def test_values_compare_by_what_they_mean(lower: Any, upper: Any) -> None:
    assert parse_cursor(lower) < parse_cursor(upper)
    assert highest([lower, upper, None, ""]) == upper
    assert highest([upper, lower]) == upper


def test_the_same_moment_is_equal_in_any_form() -> None:
    assert parse_cursor("2024-05-01T12:00:00+02:00") == parse_cursor("2024-05-01T10:00Z")
    assert parse_cursor("2024-05-01") != "2024-05-01"


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2024-13-01", "01/05/2024", "", True, {}, [], float("nan"), float("inf"), "1e5"],
)
def test_anything_else_is_no_cursor(value: Any) -> None:
    with pytest.raises(ApiAnswerError, match="neither an ISO 8601 time nor a number"):
        parse_cursor(value)


def test_times_and_numbers_are_not_compared() -> None:
    with pytest.raises(ApiAnswerError, match="a time in one place and a number in another"):
        highest(["2024-05-01T10:00:00Z", 1714557600])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([None, ""], None),
        ([3, 1, 2], 3),
        (["0000-00-00 00:00:00", "2024-05-01 10:00:00"], "2024-05-01 10:00:00"),
        (["0000-00-00"], None),
        (["2024-05-01T11:00:00+02:00", "2024-05-01T10:00:00+00:00"], "2024-05-01T10:00:00+00:00"),
        (["2024-05-01T10:00:00Z", "2024-05-01T10:00:00.5Z"], "2024-05-01T10:00:00.5Z"),
        (["99", "100"], "100"),
        (["2024-05-01T23:59:60Z", "2024-05-01T23:59:58Z"], "2024-05-01T23:59:60Z"),
    ],
)
def test_the_highest_is_returned_as_it_was_written(values: list[Any], expected: Any) -> None:
    assert highest(values) == expected


TIMES = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2090, 1, 1))  # noqa: DTZ001 (hypothesis wants naive bounds)


@given(st.lists(TIMES, min_size=1))
def test_texts_of_one_form_give_the_same_highest_as_their_moments(times: list[datetime]) -> None:
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f"):
        texts = [time.strftime(form) for time in times]
        assert highest(texts) == max(times).strftime(form)


@given(TIMES, st.integers(0, 9), st.sampled_from(["", "Z", "+02:00", "-0330", " +01"]))
def test_a_time_printed_in_its_own_form_is_itself(time: datetime, digits: int, zone: str) -> None:
    fraction = f".{time.microsecond * 1000:09d}"[: digits + 1] if digits else ""
    for text in (
        f"{time:%Y-%m-%dT%H:%M:%S}{fraction}{zone}",
        f"{time:%Y-%m-%d %H:%M}{zone}",
        f"{time:%Y-%m-%d}",
    ):
        assert like(parse_cursor(text), text) == text
        assert earlier(text, timedelta(0)) == text


@pytest.mark.parametrize(
    ("value", "by", "expected"),
    [
        ("2024-05-01T10:00:00Z", "5m", "2024-05-01T09:55:00Z"),
        ("2024-05-01T10:00:00.250+02:00", "1h30m", "2024-05-01T08:30:00.250+02:00"),
        ("2024-03-01 00:00:00", "1d", "2024-02-29 00:00:00"),
        ("2024-05-01", "5m", "2024-04-30"),
        ("2024-05-01T10:00:00,123456789Z", "30s", "2024-05-01T09:59:30,123456789Z"),
        ("2024-05-01T10:00:00.1Z", "0.2s", "2024-05-01T09:59:59.9Z"),
        ("0001-01-01T00:00:01Z", "1w", "0001-01-01T00:00:00Z"),
        (1714557600, "1h", 1714554000),
        (1714557600123, "1s", 1714557599123),
        ("1714557600", "1h", "1714554000"),
        ("1503435956.000247", "1s", "1503435955.000247"),
        (1714557600.5, "1s", 1714557599.5),
        (5000, 100, 4900),
        ("5000", "100", "4900"),
    ],
)
def test_a_lookback_moves_a_value_back_in_its_own_form(value: Any, by: Any, expected: Any) -> None:
    assert earlier(value, parse_lookback(by)) == expected
    assert type(earlier(value, parse_lookback(by))) is type(expected)


@pytest.mark.parametrize(
    ("value", "by", "message"),
    [
        ("2024-05-01", 100, "Write the lookback as a duration"),
        (5000, timedelta(hours=1), "Write the lookback as a plain number"),
    ],
)
def test_a_lookback_of_the_wrong_kind_says_which_is_right(
    value: Any, by: Any, message: str
) -> None:
    with pytest.raises(ApiAnswerError, match=message):
        earlier(value, by)


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2024-05-01T10:00:00.999Z", "2024-01-01", "2024-05-01"),
        ("2024-05-01T10:00:00Z", "2024-01-01T00:00:00+02:00", "2024-05-01T12:00:00+02:00"),
        ("2024-05-01T10:00:00Z", 1714550000, 1714557600),
        ("2024-05-01T10:00:00.5Z", 1714550000000, 1714557600500),
        ("2024-05-01T10:00:00.5Z", "1714550000.000000", "1714557600.500000"),
        (1714557600, "2024-01-01T00:00:00Z", "2024-05-01T10:00:00Z"),
        (Decimal("1714557600.5"), 1.5, 1714557600.5),
    ],
)
def test_a_value_can_be_written_in_the_form_of_another(
    value: Any, form: Any, expected: Any
) -> None:
    assert like(parse_cursor(value), form) == expected


@pytest.mark.parametrize(("value", "form"), [(5, "2024-05-01"), ("2024-05-01", 5)])
def test_a_counting_number_is_no_time(value: Any, form: Any) -> None:
    with pytest.raises(ApiAnswerError, match="only count"):
        like(parse_cursor(value), form)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1w", 604800), ("1h 30m", 5400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "5", "m", "5 minutes", "-5m", "P1D", "99999999999w"])
def test_other_texts_are_no_duration(value: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan")])
def test_a_lookback_is_never_negative(value: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        parse_lookback(value)


def test_epochs_are_told_by_their_size() -> None:
    times = [parse_cursor(value).as_time() for value in (1714557600, 1714557600000, 17, 10**15)]
    named = [time.moment if time else None for time in times]
    assert named == [*[datetime(2024, 5, 1, 10, tzinfo=UTC)] * 2, None, None]
