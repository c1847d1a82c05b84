"""The gate of a target: its cap, its breaker, its rate."""

from __future__ import annotations

import pytest

from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.gate import OPENS_AFTER, Gate

OK, DOWN, TIMEOUT = Answer(200), Answer(500, "down", ms=10), Answer(None, "late", ms=20_000)


def attempt(gate: Gate, answer: Answer, now: float) -> None:
    gate.begin()
    gate.end(answer, now)


def test_it_begins_with_one_and_grows_with_each_success_up_to_the_cap() -> None:
    gate = Gate(10)
    grown = []
    for _ in range(6):
        grown.append(gate.free(0))
        attempt(gate, OK, 0)
    assert grown == [1, 2, 4, 8, 10, 10]
    gate.begin()
    assert (gate.free(0), gate.under_way) == (9, 1)


def test_failures_in_a_row_open_it_and_a_success_closes_it() -> None:
    gate = Gate(4)
    for _ in range(OPENS_AFTER - 1):
        attempt(gate, DOWN, 0)
    assert gate.breaker == "closed"
    attempt(gate, DOWN, 0)
    assert (gate.breaker, gate.free(0.19), gate.free(0.21)) == ("open", 0, 1)
    attempt(gate, OK, 1)
    assert (gate.breaker, gate.free(1)) == ("closed", 2)


def test_who_times_out_is_left_alone_for_long_but_not_for_ever() -> None:
    gate = Gate(4)
    for _ in range(OPENS_AFTER):
        attempt(gate, TIMEOUT, 100)
    assert (gate.free(159), gate.free(160)) == (0, 1)


@pytest.mark.parametrize(("asked", "waits"), [(7, 7), (0, 0.05), (10**6, 3600)])
def test_who_is_overloaded_is_left_alone_as_it_asks_within_bounds(
    asked: float, waits: float
) -> None:
    gate = Gate(4)
    attempt(gate, Answer(429, "slow down", retry_after=asked), 0)
    assert gate.breaker == "open"
    assert (gate.free(waits - 0.01), gate.free(waits)) == (0, 1)


def test_a_refused_event_says_nothing_of_the_receiver() -> None:
    gate = Gate(4)
    for _ in range(20):
        attempt(gate, Answer(400, "bad"), 0)
    assert gate.breaker == "closed"


def test_a_rate_spaces_deliveries() -> None:
    gate = Gate(100, rate=2)
    for _ in range(8):
        attempt(gate, OK, 0)
    gate = Gate(100, rate=2)
    assert gate.free(0) == 1
    attempt(gate, OK, 0)
    attempt(gate, OK, 0)
    assert gate.free(0) == 0
    assert gate.free(0.5) == 1
    gate.begin()
    gate.end(None, 0.5)
    assert gate.free(0.5) == 0


def test_other_limits_are_taken_up() -> None:
    gate = Gate(100)
    for _ in range(10):
        attempt(gate, OK, 0)
    gate.configure(3, None)
    assert gate.free(0) == 3
