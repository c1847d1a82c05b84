"""Targets that fail for days are warned of, then disabled; one success forgives all."""

from __future__ import annotations

import pytest
from tests.tasks.webhooks.outbox.delivering import rows, subscribe, target

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox.health import Health, Notice, write_health
from astrio.tasks.webhooks.outbox.targets import DISABLE_AFTER

pytestmark = pytest.mark.usefixtures("ledger")
DAY = 86400.0


def noted(day: float, *, delivered: bool = False) -> list[Notice]:
    """Write down one attempt on a day; return what people hear."""
    health = Health()
    health.note(delivered=delivered, gone=False, at=day * DAY)
    with Ledger().writing() as connection:
        return write_health(connection, {"crm": health}, day * DAY)


def kinds(*days: float) -> list[str]:
    return [notice.kind for day in days for notice in noted(day)]


@pytest.fixture(autouse=True)
def _target(ledger: str) -> None:
    subscribe({"crm": target("https://crm.example.com")})


def test_days_of_failures_are_warned_of_and_then_disable() -> None:
    assert DISABLE_AFTER == 5 * DAY
    assert kinds(0, 1, 2.6, 2.7, 4.6, 4.7, 5.1, 5.2) == ["warning", "warning", "disabled"]
    assert rows("SELECT disabled <> '' FROM _astrio_target")[0][0]


def test_a_success_forgives_what_was_before() -> None:
    assert kinds(0, 2.6) == ["warning"]
    assert noted(3, delivered=True) == []
    assert kinds(3.1, 5.2, 5.5) == []
    assert rows("SELECT failures, warned FROM _astrio_target") == [(3, 0)]


def test_attempts_before_and_after_a_turn_that_failed_are_one() -> None:
    before, after = Health(), Health()
    before.note(delivered=True, gone=False, at=1)
    before.note(delivered=False, gone=True, at=2)
    after.note(delivered=False, gone=False, at=3)
    both = before.then(after)
    assert (both.succeeded, both.failures, both.failed_at, both.gone) == (True, 2, 2, True)
    after.note(delivered=True, gone=False, at=4)
    assert before.then(after) is after
