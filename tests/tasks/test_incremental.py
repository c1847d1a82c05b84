from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.incremental import (
    Window,
    advance,
    format_bound,
    higher,
    plan_window,
    sent_bounds,
)
from astrio.tasks.incremental_settings import IncrementalSettings

NOW = datetime(2024, 5, 1, 10, 30, 15, 123456, tzinfo=UTC)


def settings(**more: Any) -> IncrementalSettings:
    return IncrementalSettings(cursor="updated_at", param="since", **more)


def test_without_incremental_the_window_is_open() -> None:
    assert plan_window(None, None, NOW) == Window(None, None)


def test_a_first_run_has_no_lower_bound() -> None:
    assert plan_window(settings(), None, NOW) == Window(None, "2024-05-01T10:30:15Z")


def test_a_first_run_begins_at_start() -> None:
    assert plan_window(settings(start="2020-01-01"), None, NOW).start == "2020-01-01"


@pytest.mark.parametrize(
    ("watermark", "lookback", "window"),
    [
        ("2024-05-01T09:00:00Z", None, ("2024-05-01T09:00:00Z", "2024-05-01T10:30:15Z")),
        ("2024-05-01T09:00:00Z", "5m", ("2024-05-01T08:55:00Z", "2024-05-01T10:30:15Z")),
        (
            "2024-05-01T11:00:00.000+02:00",
            "1h",
            ("2024-05-01T10:00:00.000+02:00", "2024-05-01T12:30:15.123+02:00"),
        ),
        ("2024-04-30", "1d", ("2024-04-29", "2024-05-01")),
        (1714550000, "10s", (1714549990, 1714559415)),
        (1714550000000, "10s", (1714549990000, 1714559415123)),
        (4711, 11, (4700, "2024-05-01T10:30:15Z")),
    ],
)
def test_a_later_run_begins_at_the_watermark_less_the_lookback(
    watermark: Any, lookback: Any, window: tuple[Any, Any]
) -> None:
    assert plan_window(settings(lookback=lookback), watermark, NOW) == Window(*window)


@pytest.mark.parametrize(
    ("more", "window", "sent"),
    [
        ({}, ("2024-05-01", "2024-05-02"), ("2024-05-01", "2024-05-02")),
        ({"range_start": "open"}, ("2024-05-01", None), ("2024-04-30", None)),
        (
            {"range_start": "open"},
            ("2024-05-01T10:00:00.5Z", None),
            ("2024-05-01T09:59:59.5Z", None),
        ),
        ({"range_start": "open", "format": "date"}, ("2024-05-01T10:00:00Z", None), None),
        ({"range_start": "open"}, (4711, None), (4710, None)),
        ({"range_start": "open", "granularity": "1m"}, (1714550000, None), (1714549940, None)),
        ({"range_start": "open"}, (None, 5), (None, 5)),
        ({"range_end": "closed"}, (1, 5), (1, 5)),
        ({"range_end": "closed", "granularity": 1}, (1, 5), (1, 4)),
        (
            {"range_end": "closed", "granularity": "1s"},
            (None, "2024-05-01T10:00:00Z"),
            (None, "2024-05-01T09:59:59Z"),
        ),
    ],
)
def test_bounds_are_asked_for_so_that_no_record_is_left_out(
    more: dict[str, Any], window: tuple[Any, Any], sent: tuple[Any, Any] | None
) -> None:
    expected = sent or ("2024-04-30T10:00:00Z", None)
    assert sent_bounds(settings(**more), Window(*window)) == Window(*expected)


def test_a_token_of_the_last_run_is_the_window_s_start() -> None:
    by_token = IncrementalSettings(token="next")
    assert plan_window(by_token, "abc", NOW) == Window("abc", None)
    assert plan_window(by_token, "abc", NOW, full_refresh=True) == Window()
    with pytest.raises(ConfigurationError, match="a token has no order"):
        plan_window(by_token, "abc", NOW, until="2024-01-01")


def test_the_end_of_a_first_run_is_written_like_an_epoch_start() -> None:
    assert plan_window(settings(start=1714550000), None, NOW) == Window(1714550000, 1714559415)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "give `cursor`"),
        ({"cursor": "a", "token": "b"}, "give `cursor`"),
        ({"token": "b", "lookback": "1d"}, "`lookback` does not go with `token`"),
        ({"cursor": "a", "step": "1d"}, "`step` needs"),
        ({"cursor": "a", "newest_first": True, "sorted": True}, "neither with"),
        ({"cursor": "a", "step": "0s"}, "more than 0"),
        ({"cursor": "a", "timezone": "../etc"}, "no time zone"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        IncrementalSettings(**wrong)


def test_a_full_refresh_is_like_a_first_run() -> None:
    window = plan_window(
        settings(start="2020-01-01", lookback="1d"), "2024-04-30", NOW, full_refresh=True
    )
    assert window == Window("2020-01-01", "2024-05-01")


def test_since_and_until_bound_this_run_without_lookback() -> None:
    window = plan_window(
        settings(lookback="1d"),
        "2024-04-30T00:00:00Z",
        NOW,
        since="2024-01-01",
        until="2024-02-01T12:00",
    )
    assert window == Window("2024-01-01T00:00:00Z", "2024-02-01T12:00:00Z")


@pytest.mark.parametrize(("since", "start"), [("2024-01-01", "2024-01-01"), ("4711", 4711)])
def test_since_is_taken_as_written_before_a_watermark_is_known(since: str, start: Any) -> None:
    assert plan_window(settings(), None, NOW, since=since).start == start


@pytest.mark.parametrize(
    ("watermark", "since", "until"),
    [
        (None, "2024-02-01", "2024-01-01"),
        (None, "2024-02-01", "2024-02-01"),
        (None, "2025-01-01", None),
        (4711, "6000", "5000"),
        (None, "1714550000", "2024-01-01"),
    ],
)
def test_an_empty_window_is_refused(watermark: Any, since: str, until: str | None) -> None:
    with pytest.raises(ConfigurationError, match="window is empty"):
        plan_window(settings(), watermark, NOW, since=since, until=until)


@pytest.mark.parametrize(
    ("watermark", "since"),
    [(None, "yesterday"), (4711, "2024-01-01"), ("2024-04-30", "4711")],
)
def test_a_bound_that_does_not_fit_the_cursor_is_refused(watermark: Any, since: str) -> None:
    with pytest.raises(ConfigurationError, match="--since") as caught:
        plan_window(settings(), watermark, NOW, since=since)
    assert "2024-05-01" in caught.value.advice


def test_an_id_bound_is_compared_with_no_time() -> None:
    assert plan_window(settings(), 4711, NOW, since="17").start == 17


END = "2024-05-01T10:00:00Z"


@pytest.mark.parametrize(
    ("watermark", "cursor", "end", "expected"),
    [
        (None, None, END, None),
        ("2024-04-01T00:00:00Z", None, END, "2024-04-01T00:00:00Z"),
        (None, "2024-04-01T00:00:00Z", END, "2024-04-01T00:00:00Z"),
        ("2024-04-02T00:00:00Z", "2024-04-01T00:00:00Z", END, "2024-04-02T00:00:00Z"),
        ("2024-04-01T00:00:00Z", "2024-04-02T00:00:00Z", END, "2024-04-02T00:00:00Z"),
        ("2024-04-01", "2999-01-01", END, "2024-05-01"),
        (None, "2999-01-01T00:00:00.000+02:00", END, "2024-05-01T12:00:00.000+02:00"),
        (None, "2999-01-01", None, "2999-01-01"),
        (1714000000, 1714999999, END, 1714557600),
        (1714000000, 99999999999, END, 1714557600),
        (None, 1714999999, END, 1714557600),
        (None, 1714999999000, END, 1714557600000),
        (None, "1714999999", END, "1714557600"),
        (None, 99999999999, 1714557600, 1714557600),
        ("2024-04-01T00:00:00Z", "2999-01-01T00:00:00Z", 1714557600, "2024-05-01T10:00:00Z"),
        (4711, 5600000000000, END, 5600000000000),
        (None, 5600000000000, END, 5600000000000),
        (None, 17, END, 17),
        (4000, 4711, 4500, 4500),
        (4000, 4711, 5000, 4711),
    ],
)
def test_the_watermark_is_the_highest_cursor_capped_at_the_end(
    watermark: Any, cursor: Any, end: Any, expected: Any
) -> None:
    assert advance(watermark, cursor, end) == expected


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 (hypothesis wants naive bounds)
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_the_watermark_never_moves_back_and_never_passes_the_end(
    watermark: str, cursor: str, end: str
) -> None:
    moved = advance(watermark, cursor, end)
    assert moved >= watermark
    assert moved <= max(watermark, end)


def test_a_cursor_of_another_kind_than_the_watermark_is_an_error() -> None:
    with pytest.raises(ApiAnswerError, match="--full-refresh"):
        advance("2024-04-01", 4711, END)


def test_the_first_of_two_equal_values_is_kept() -> None:
    assert higher("2024-05-01", "2024-05-01T00:00:00Z") == "2024-05-01"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (None, "2024-05-01T12:00:00.5+02:00"),
        ("iso", "2024-05-01T10:00:00Z"),
        ("date", "2024-05-01"),
        ("epoch", 1714557600),
        ("epoch_ms", 1714557600500),
        ("%d.%m.%Y %H:%M", "01.05.2024 10:00"),
    ],
)
def test_a_bound_is_written_as_the_api_wants_it(form: str | None, expected: Any) -> None:
    assert format_bound("2024-05-01T12:00:00.5+02:00", form) == expected


def test_an_open_bound_stays_open() -> None:
    assert format_bound(None, "epoch") is None


@pytest.mark.parametrize("value", [17, "x"])
def test_a_bound_that_is_no_time_cannot_be_formatted(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no time"):
        format_bound(value, "date")


def test_an_epoch_format_makes_the_end_an_epoch_too() -> None:
    assert plan_window(settings(format="epoch"), None, NOW).end == 1714559415


@pytest.mark.parametrize(
    ("more", "message"), [({"lookback": "5 mins"}, "no duration"), ({"format": "rfc"}, "give one")]
)
def test_settings_are_checked_before_anything_is_sent(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**more)
