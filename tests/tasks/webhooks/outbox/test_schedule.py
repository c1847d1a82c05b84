"""When a delivery that failed is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks.webhooks.target import DeliveryRetry
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.deliverer import judged
from astrio.tasks.webhooks.outbox.queue import State
from astrio.tasks.webhooks.outbox.schedule import LONGEST_WAIT, Schedule, retry_after

NOW = 1_714_557_600.0  # 2024-05-01 10:00:00 GMT
PLAIN = Schedule((0, 5, 300), 0)


def middle() -> float:
    return 0.5


def test_the_usual_schedule_is_that_of_standard_webhooks() -> None:
    schedule = Schedule.of(DeliveryRetry())
    waits = [schedule.after(attempts, middle) for attempts in range(1, 11)]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]
    assert schedule.first(middle) == 0


@given(st.floats(0, 1), st.integers(1, 9))
def test_a_wait_is_varied_by_a_fifth_at_most_and_never_negative(
    chance: float, attempts: int
) -> None:
    wait = Schedule.of(DeliveryRetry()).after(attempts, lambda: chance)
    plain = DeliveryRetry().schedule()[attempts]
    assert wait is not None
    assert 0.8 * plain - 1e-6 <= wait <= 1.2 * plain + 1e-6


def test_the_product_pages_retry_grows() -> None:
    retry = DeliveryRetry.model_validate(
        {"maxRetries": 3, "retryDelay": 1000, "backoffMultiplier": 2, "jitter": 0}
    )
    schedule = Schedule.of(retry)
    assert [schedule.after(attempts, middle) for attempts in range(1, 5)] == [1, 2, 4, None]


@pytest.mark.parametrize(("asked", "wait"), [(1, 5), (60, 60), (10**9, LONGEST_WAIT), (-5, 5)])
def test_retry_after_is_honoured_within_bounds(asked: float, wait: float) -> None:
    assert PLAIN.after(1, middle, asked) == wait


def test_retry_after_gives_no_attempt_that_the_schedule_has_not() -> None:
    assert PLAIN.after(3, middle, 60) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7),
        (" 7 ", 7),
        ("Wed, 01 May 2024 10:00:09 GMT", 9),
        ("Wed, 01 May 2024 09:00:00 GMT", 0),
        ("soon", None),
        ("-7", None),
        ("9" * 400, None),
        ("", None),
        ("Infinity", None),
    ],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_retry_after_survives_anything(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("attempts", "answer", "state"),
    [
        (1, Answer(204), State.DELIVERED),
        (1, Answer(500, "no"), State.PENDING),
        (3, Answer(500, "no"), State.DEAD),
        (3, Answer(410, "gone"), State.PENDING),
        (1, Answer(None, "late"), State.PENDING),
    ],
)
def test_what_becomes_of_a_delivery(attempts: int, answer: Answer, state: State) -> None:
    assert judged(attempts, PLAIN, answer, middle)[0] is state


@pytest.mark.parametrize(
    ("status", "state"),
    [(500, State.PENDING), (400, State.DEAD), (429, State.PENDING), (503, State.PENDING)],
)
def test_only_the_statuses_that_are_given_are_tried_again(status: int, state: State) -> None:
    retry = DeliveryRetry.model_validate({"retryOnStatus": [500]})
    assert judged(1, Schedule.of(retry), Answer(status, "no"), middle)[0] is state
    assert judged(1, Schedule.of(retry), Answer(None, "late"), middle)[0] is State.PENDING
