from __future__ import annotations

from itertools import count

import pytest

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks import repetition
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.repetition import RepetitionGuard


def at(position: int) -> ApiRequest:
    return ApiRequest("GET", "/", params={"cursor": position})


def pages_until_found(cycle: int, lead: int) -> int:
    guard = RepetitionGuard(ApiRequest("GET", "/"))
    for number in count(1):
        position = number if number < lead else lead + (number - lead) % cycle
        try:
            guard.look(number, [{"id": number}], at(position))
        except ApiAnswerError:
            return number
    raise AssertionError


@pytest.mark.parametrize(("cycle", "lead"), [(1, 1), (2, 5), (50, 1), (100, 70)])
def test_a_cycle_is_found_at_its_first_repetition(cycle: int, lead: int) -> None:
    assert pages_until_found(cycle, lead) == lead + cycle


@pytest.mark.parametrize(("cycle", "lead"), [(10, 1), (100, 70)])
def test_a_cycle_longer_than_the_memory_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch, cycle: int, lead: int
) -> None:
    monkeypatch.setattr(repetition, "_MOST_REMEMBERED", 5)
    assert pages_until_found(cycle, lead) <= 3 * (lead + cycle)


def test_the_page_that_repeats_is_named_on_a_resumed_reading() -> None:
    guard = RepetitionGuard(at(0), 7)
    guard.look(8, [1], at(1))
    with pytest.raises(ApiAnswerError, match="Page 9 leads back to where page 8 was"):
        guard.look(9, [2], at(0))
