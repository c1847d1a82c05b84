"""Which records are remembered at the boundary of two runs."""

from __future__ import annotations

from typing import Any

from astrio.tasks.ties import Ties

FUTURE = "2027-01-01"


def day(number: int, name: str = "") -> dict[str, Any]:
    return {"at": f"2026-01-{number:02d}", "name": name}


def given(ties: Ties, *records: dict[str, Any]) -> list[bool]:
    return ties.fresh([*records], [each["at"] for each in records])


def left_by(*records: dict[str, Any]) -> dict[str, Any]:
    ties = Ties({})
    given(ties, *records)
    return ties.current


def test_those_of_the_highest_cursor_are_remembered() -> None:
    ties = Ties({})
    assert given(ties, day(1), day(2, "a"), day(2, "b")) == [True, True, True]
    assert set(ties.current.values()) == {"2026-01-02"}
    assert given(Ties(ties.current), day(2, "b"), day(2, "c")) == [False, True]


def test_what_a_run_does_not_read_is_remembered_while_the_watermark_stays() -> None:
    known = left_by(day(2, "a"))
    ties = Ties(known, watermark="2026-01-02")
    assert ties.current == known
    given(ties, day(1))
    assert ties.current == known
    given(ties, day(2, "b"))
    assert ties.current == known | left_by(day(2, "b"))
    given(ties, day(3))
    assert ties.current == left_by(day(3))


def test_one_beyond_the_window_that_is_not_read_again_does_not_hide_those_that_are() -> None:
    known = left_by({"at": FUTURE})
    first = Ties(known, end="2026-01-09", watermark="2026-01-01")
    given(first, day(2))
    for ties in (first, Ties(known, first.current, "2026-01-09", "2026-01-01")):
        given(ties, day(3))
        assert ties.current == known | left_by(day(3))
        assert given(Ties(ties.current), day(3), {"at": FUTURE}) == [False, False]


def test_a_run_that_ignores_the_watermark_forgets_what_was_known() -> None:
    ties = Ties({})
    given(ties, day(1))
    assert ties.current == left_by(day(1))
