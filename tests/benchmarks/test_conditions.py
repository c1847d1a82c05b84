"""The benchmark of other conditions runs, and measures something."""

from __future__ import annotations

from tests.benchmarks.conditions import compare


def test_both_conditions_are_measured() -> None:
    times, share = compare("sqlite", 2_000, 1)
    assert times > 0
    assert share > -1
