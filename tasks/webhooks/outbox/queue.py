"""The queue of deliveries: they are claimed, and marked with what became of them, in batches.

A delivery is `waiting` while another of its order key goes first, `pending` until it is claimed,
`claimed` while a deliverer is at it; then it is `delivered`, `pending` again, or `dead`; or
somebody has `cancelled` it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from astrio.tasks.webhooks.outbox.answer import Answer

OrderKey = tuple[str, str]
"""A target, and the key whose events reach it in order."""
ORDER_LOCK: Final = 0x617374726F75  # any number that nobody else locks


class State(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    PENDING = "pending"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Claimed(NamedTuple):
    """A delivery that this process is to attempt.

    Attributes:
        attempts: how many there were since it was routed or replayed.
        own: its body, sealed for the delivery; None: the body is the event's payload.
        payload: the event's payload, sealed for the event.
    """

    number: int
    id: str
    event_id: str
    event: str
    target: str
    order_key: str | None
    attempts: int
    created_at: float
    own: bytes | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Marked:
    """What has become of a claimed delivery.

    Attributes:
        answer: of the attempt; None: none was made, and none is counted.
        state: `delivered`, `pending` or `dead`.
        wait: seconds until the next attempt.
        at: when the attempt began, epoch seconds.
        excerpt: the beginning of the answer, sealed for the delivery.
    """

    claimed: Claimed
    answer: Answer | None
    state: State
    wait: float
    at: float
    excerpt: bytes | None = None


class Queue(ABC):
    """The statements that differ between databases; each works in the caller's transaction."""

    @abstractmethod
    def claim(
        self, connection: Connection, holder: str, slots: Mapping[str, int], most: int, now: float
    ) -> list[Claimed]:
        """Take deliveries that are due; nobody else gets them meanwhile.

        Args:
            connection: within a write transaction.
            holder: who takes them.
            slots: how many each target may have; the first targets come first.
            most: how many in all.
            now: epoch seconds.
        """

    @abstractmethod
    def mark(
        self, connection: Connection, holder: str, marks: Sequence[Marked], now: float
    ) -> None:
        """Note attempts, and what became of the deliveries that `holder` still has."""

    def lock_order(self, connection: Connection) -> None:  # noqa: B027 (SQLite has one writer)
        """Let nobody else change who is next of an order key until the transaction ends."""

    def try_routing(self, connection: Connection) -> bool:  # noqa: ARG002 (as above)
        """Become the one that routes events until the transaction ends, if nobody else is."""
        return True

    def promote(self, connection: Connection, keys: Collection[OrderKey], now: float) -> None:
        """Let the next delivery of each key be pending, if none is under way."""
        rows = [{"target": target, "key": key, "now": now} for target, key in sorted(set(keys))]
        if rows:
            connection.execute(_PROMOTE, rows)


# Written as the partial index is, so that SQLite too sees that it fits.
_UNDER_WAY: Final = "state IN ('waiting', 'pending', 'claimed')"
_OF_KEY: Final = f"target = :target AND order_key = :key AND {_UNDER_WAY}"
_PROMOTE: Final = text(
    "UPDATE _astrio_delivery SET state = 'pending', next_at = :now, delay = 0 WHERE number = ("  # noqa: S608 (constants)
    f"SELECT min(number) FROM _astrio_delivery WHERE {_OF_KEY} AND state = 'waiting') "
    f"AND NOT EXISTS (SELECT 1 FROM _astrio_delivery WHERE {_OF_KEY} AND state <> 'waiting')"
)


def attempt_row(mark: Marked) -> tuple[Any, ...]:
    """Return the columns of an attempt: all but its number."""
    assert mark.answer is not None
    claimed, answer = mark.claimed, mark.answer
    return (
        claimed.number,
        claimed.target,
        claimed.event,
        mark.at,
        answer.ms,
        int(answer.delivered),
        answer.status,
        answer.error,
        mark.excerpt,
    )


def state_row(mark: Marked, now: float) -> tuple[Any, ...]:
    """Return number, state, attempts made (0 or 1), next_at, delay, status and error."""
    answer = mark.answer
    return (
        mark.claimed.number,
        mark.state.value,
        int(answer is not None),
        now + mark.wait,
        mark.wait,
        answer.status if answer else None,
        answer.error if answer else "",
    )
