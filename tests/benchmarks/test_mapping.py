"""The benchmark's ways of mapping do the same: the figures compare like with like."""

from __future__ import annotations

from tests.benchmarks.mapping import kept, measure


def test_all_ways_give_the_same_rows() -> None:
    figures = measure(rounds=1, pages=5, size=20)  # asserts it
    assert all(speed > 0 for speed in figures.values())


def test_the_promises_are_held_against_the_mapping_by_hand() -> None:
    figures = {"by hand": 155.0, "compiled": 100.0, "stage": 81.0, "jsonpath-ng": 4.0}
    assert kept(figures)
    assert not kept(figures | {"compiled": 90.0})
    assert not kept(figures | {"stage": 79.0})
    assert not kept(figures | {"jsonpath-ng": 6.0})
