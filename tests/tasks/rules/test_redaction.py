"""What is told of a value that broke a rule."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.tasks.rules.redaction import redacted, without_values


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"),
        (True, "true or false"),
        ("", "text of 0 characters"),
        ("1234567", "text of 7 characters"),
        ("12345678", 'text of 8 characters, the first is "1"'),
        ("\n2345678", "text of 8 characters"),
        ("\ud8002345678", "text of 8 characters"),
        ("a" * 1_234, 'text of 1,234 characters, the first is "a"'),
        (7, "a whole number of 1 digit"),
        (-17, "a whole number of 2 digits"),
        pytest.param(10**5_000, "a whole number of 5,001 digits", id="a long number"),
        (1.5, "a number with a fraction"),
        (Decimal("1.5"), "a decimal"),
        ([1], "a list of 1 element"),
        ({"a": 1, "b": 2}, "an object of 2 keys"),
        (date(2024, 1, 1), "a date"),
        (datetime(2024, 1, 1, tzinfo=UTC), "a date and time"),
        (b"x", "bytes"),
    ],
)
def test_kind_and_size_are_told(value: Any, told: str) -> None:
    assert redacted(value) == told


@given(st.text(st.sampled_from("XYZ"), min_size=2))
def test_of_a_text_one_character_at_most_is_told(value: str) -> None:
    told = redacted(value)
    assert sum(told.count(sign) for sign in "XYZ") <= 1


def test_a_records_values_are_taken_out_of_a_message() -> None:
    record = {"a": "Ada", "b": ["Lovelace", {"c": 12345}], "d": True, "e": "x", "f": 10**5_000}
    told = without_values("Ada Lovelace (12345) is True, x", record)
    assert told == "… … (…) is True, x"


def test_a_value_that_cannot_be_written_is_in_no_message() -> None:
    assert without_values("no canary", [10**5_000, "canary"]) == "no …"


def test_the_longest_value_is_taken_out_first() -> None:
    assert without_values("no ada@example.com", ["ada", "ada@example.com"]) == "no …"


def test_a_message_about_a_record_with_very_many_values_is_not_told() -> None:
    assert without_values("no canary", ["x"] * 20_000 + ["canary"]) == "…"
    assert without_values("no canary", [["x"] * 20_000, "canary"]) == "…"
