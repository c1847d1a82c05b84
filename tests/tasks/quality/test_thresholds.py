"""`quality:`: what crosses a threshold, and what does not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.quality.profile import Profile
from astrio.tasks.quality.settings import QualitySettings
from astrio.tasks.quality.thresholds import breaches


def profile_of(*values: Any, invalid: int = 0) -> Profile:
    """Return the profile of records whose field `f` has these values."""
    profile = Profile(sources=False)
    rejects = [Reject({}, [Problem("f", "min", "")])] * invalid
    profile.add([Batch(Page(1), ("f",), [(value,) for value in values], [], rejects)])
    return profile


def crossed(profile: Profile, earlier: Profile | None = None, **entry: Any) -> list[str]:
    """Return the messages of one entry about `f`."""
    settings = QualitySettings.model_validate({"field": "f", **entry})
    known = earlier.compared(None)[1] if earlier else None
    drift = profile.compared(known)[0].fields
    return [each.message for each in breaches([settings], profile, known, drift)]


NULLS = profile_of(*[None] * 3, *["x"] * 17)


@pytest.mark.parametrize(
    ("profile", "entry", "message"),
    [
        (NULLS, {"max_nulls": "10%"}, "3 of 20 records have no f (at most 10%)"),
        (NULLS, {"max_nulls": 2}, "3 of 20 records have no f (at most 2)"),
        (
            profile_of(*"ab", invalid=2),
            {"max_invalid": "49%"},
            "2 of 4 records were rejected for their f (at most 49%)",
        ),
        (profile_of(*"aab"), {"min_distinct": 3}, "f has 2 values (at least 3)"),
        (profile_of(*"abc"), {"max_distinct": 2}, "f has 3 values (at most 2)"),
        (profile_of(3, 5), {"min": 4}, "f is 3 in a record (at least 4)"),
        (profile_of(3, 5.5), {"max": 5}, "f is 5.5 in a record (at most 5)"),
        (
            profile_of(date(2026, 1, 1)),
            {"min": "2026-01-02"},
            "f is 2026-01-01 in a record (at least 2026-01-02)",
        ),
        (profile_of("x"), {"max": 5}, "f is text, which `max` cannot compare with a number"),
        (
            profile_of("2026-01-01"),
            {"min": date(2025, 1, 1)},
            "f is text, which `min` cannot compare with a date",
        ),
        (profile_of("abc", ""), {"min_length": 1}, "f is 0 long in a record (at least 1)"),
        (profile_of("abc", ""), {"max_length": 2}, "f is 3 long in a record (at most 2)"),
    ],
)
def test_a_threshold_that_is_crossed_is_told_with_its_figure(
    profile: Profile, entry: dict[str, Any], message: str
) -> None:
    assert crossed(profile, **entry) == [message]


@pytest.mark.parametrize(
    ("profile", "entry"),
    [
        (NULLS, {"max_nulls": "15%"}),
        (NULLS, {"max_nulls": 0, "min_records": 21}),
        (profile_of(*"ab", invalid=2), {"max_invalid": 2}),
        (profile_of(*"ab"), {"min_distinct": 2, "max_distinct": 2}),
        (profile_of([1], [2]), {"min_distinct": 5}),
        (profile_of(3, 5), {"min": 3, "max": 5}),
        (profile_of(None), {"min": 3, "max_length": 5}),
        (profile_of(date(2026, 1, 1)), {"min": "2026-01-01", "max": "2026-01-01T00:00:00Z"}),
        (profile_of("ab"), {"min_length": 2, "max_length": 2}),
        (profile_of(), {"max_nulls": 0, "min_distinct": 1, "min": 0, "max_change": "0%"}),
    ],
)
def test_what_stays_within_is_not_told(profile: Profile, entry: dict[str, Any]) -> None:
    assert crossed(profile, **entry) == []


def test_a_part_of_a_run_is_not_held_to_a_least_number_of_values() -> None:
    part = profile_of("a")
    part.whole = False
    assert crossed(part, min_distinct=5) == []


def test_a_share_of_nulls_that_moves_is_told() -> None:
    before = profile_of(*[None] * 10, *["x"] * 90)
    assert crossed(NULLS, before, max_change="5%") == []
    assert crossed(profile_of(None, "x"), before, max_change="5%") == [
        "50.0% of the records have no f, 10.0% had none before (at most 5% apart)"
    ]
    assert crossed(profile_of(None, "x"), max_change="5%") == []


def test_a_field_that_must_be_stable_neither_vanishes_nor_changes() -> None:
    before = profile_of(*["x"] * 50)
    assert crossed(profile_of(*[None] * 50), before, stable=True) == [
        "f has no value in any record, and had in earlier runs"
    ]
    assert crossed(profile_of(*[1] * 50), before, stable=True) == ["f changed from text to number"]
    assert crossed(profile_of("y"), before, stable=True) == []


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"severity": "error"},
        {"max_nulls": "5"},
        {"max_nulls": "101%"},
        {"max_nulls": -1},
        {"max_change": "5"},
        {"min": "soon"},
        {"min_distinct": -1},
        {"maxnull": 5},
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QualitySettings.model_validate({"field": "f", **entry})
