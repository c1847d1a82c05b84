"""The benchmark of other conditions runs, and measures something."""

from __future__ import annotations

from tests.benchmarks.conditions import compare


def test_all_conditions_are_measured() -> None:
    found = compare("sqlite", 2_000, 1)
    assert min(found.compared, found.skipped, found.alike) > 0
    assert found.latency > -1
