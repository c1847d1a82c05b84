"""How deliveries fare: for each target and event, read from the outbox as it is at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, func, select, text

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import attempt, delivery, event
from astrio.tasks.webhooks.outbox.holding_up import held_up
from astrio.tasks.webhooks.outbox.queue import State
from astrio.tasks.webhooks.outbox.targets import TargetRow, read_targets

WINDOW: Final = 3600.0
_SAMPLE: Final = 2000


@dataclass(frozen=True, slots=True)
class Fare:
    """How the deliveries of one event to one target fare.

    Attributes:
        waiting: those that have not ended.
        oldest: when the oldest of them was emitted, epoch seconds.
        delivered: those that arrived within the window.
        dead: dead letters.
        attempts: attempts within the window.
        successes: those of them that were a success.
        p50_ms: latency that half of them had at most, None if there was none.
        p95_ms: the same of 95 in 100.
        p99_ms: the same of 99 in 100.
    """

    target: str
    event: str
    waiting: int = 0
    oldest: float | None = None
    delivered: int = 0
    dead: int = 0
    attempts: int = 0
    successes: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    p99_ms: int | None = None

    @property
    def success_rate(self) -> float | None:
        """The share of attempts that were a success, None if there was none."""
        return self.successes / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class Outbox:
    """The whole outbox.

    Attributes:
        unrouted: events that no deliverer has looked at.
        targets: every target and its health.
        fares: of each target and event that there are deliveries of.
        held_up: why nothing is sent to some targets, by target.
    """

    unrouted: int
    targets: Sequence[TargetRow]
    fares: Sequence[Fare]
    held_up: Mapping[str, str] = field(default_factory=dict)


def outbox(now: float, window: float = WINDOW, ledger: Ledger | None = None) -> Outbox | None:
    """Return how deliveries fare, None if there is no ledger.

    Args:
        now: epoch seconds.
        window: seconds of the past that rates and latencies are of.
        ledger: astrio's own database.

    Raises:
        AstrioError: the ledger cannot be read.
    """
    ledger = ledger or Ledger()
    if not ledger.exists():
        return None
    with ledger.reading() as connection:
        unrouted = select(func.count()).select_from(event).where(event.c.state == "new")
        return Outbox(
            connection.execute(unrouted).scalar_one(),
            read_targets(connection),
            _fares(connection, now - window),
            held_up(connection),
        )


def _fares(connection: Connection, since: float) -> list[Fare]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for state, condition in _CONDITIONS:
        counted = select(
            delivery.c.target, delivery.c.event, func.count(), func.min(delivery.c.created_at)
        ).where(text(condition))
        if state is State.DELIVERED:
            counted = counted.where(delivery.c.changed_at >= since)
        grouped = counted.group_by(delivery.c.target, delivery.c.event)
        for target, name, count, oldest in connection.execute(grouped):
            _count(found.setdefault((target, name), {}), state, count, oldest)
    tried = select(
        attempt.c.target, attempt.c.event, func.count(), func.sum(attempt.c.delivered)
    ).where(attempt.c.at >= since)
    for target, name, count, successes in connection.execute(
        tried.group_by(attempt.c.target, attempt.c.event)
    ):
        fare = found.setdefault((target, name), {})
        fare |= {"attempts": count, "successes": int(successes)}
        fare |= _latencies(connection, target, name, since)
    return [Fare(*key, **fare) for key, fare in sorted(found.items())]


def _count(fare: dict[str, Any], state: State, count: int, oldest: float) -> None:
    if state in (State.WAITING, State.PENDING, State.CLAIMED):
        fare["waiting"] = fare.get("waiting", 0) + count
        fare["oldest"] = min(oldest, fare.get("oldest", oldest))
    elif state in (State.DELIVERED, State.DEAD):
        fare[state.value] = count


def _latencies(connection: Connection, target: str, name: str, since: float) -> dict[str, int]:
    """Return the percentiles of the latest attempts."""
    latest = (
        select(attempt.c.ms)
        .where(attempt.c.target == target, attempt.c.event == name, attempt.c.at >= since)
        .order_by(attempt.c.number.desc())
        .limit(_SAMPLE)
    )
    values = sorted(connection.execute(latest).scalars())
    last = len(values) - 1
    return {f"p{each}_ms": values[min(len(values) * each // 100, last)] for each in _AT}


_AT: Final = (50, 95, 99)
# Written out as the partial indexes are, so that each is answered from an index.
_CONDITIONS: Final = (
    (State.PENDING, "state = 'pending'"),
    (State.CLAIMED, "state = 'claimed' AND holder IS NOT NULL"),
    (
        State.WAITING,
        "order_key IS NOT NULL AND state IN ('waiting', 'pending', 'claimed') "
        "AND state = 'waiting'",
    ),
    (State.DEAD, "state = 'dead'"),
    (State.DELIVERED, "state = 'delivered'"),
)
