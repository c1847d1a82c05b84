"""What a deliverer does in the ledger: each turn is one transaction, on a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import delivery
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.outbox.connecting import Line
from astrio.tasks.webhooks.outbox.event import PURPOSE
from astrio.tasks.webhooks.outbox.health import Health, Notice, write_health
from astrio.tasks.webhooks.outbox.holders import BEAT, LEASE, Holders
from astrio.tasks.webhooks.outbox.holding_up import hold_up
from astrio.tasks.webhooks.outbox.purging import purge_some
from astrio.tasks.webhooks.outbox.queue import Claimed, Marked, State
from astrio.tasks.webhooks.outbox.queues import queue_of
from astrio.tasks.webhooks.outbox.routing import Router
from astrio.tasks.webhooks.outbox.targets import TargetRow, read_targets
from astrio.tasks.webhooks.outbox.trigger import Trigger
from astrio.tasks.webhooks.outbox.triggers import read_documents, read_trigger

_PURGE_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a turn is to do.

    Attributes:
        marks: what has become of deliveries.
        health: how targets fare.
        slots: how many deliveries each target may have; the first targets come first.
        most: how many in all.
    """

    marks: Sequence[Marked] = ()
    health: Mapping[str, Health] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    most: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What a turn has done.

    Attributes:
        claimed: deliveries that this process is to attempt.
        routed: how many events became deliveries.
        notices: what people should hear of.
    """

    claimed: Sequence[Claimed] = ()
    routed: int = 0
    notices: Sequence[Notice] = ()


class Desk:
    """The ledger as one deliverer works on it; for one thread at a time.

    Args:
        ledger: astrio's own database.
        now: the steady clock of schedules, epoch seconds.
        monotonic: the clock of leases, seconds.
        lease: for how long a deliverer may give no sign, seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        lease: float = LEASE,
    ) -> None:
        self._line = Line(ledger)
        self._now = now
        self._monotonic = monotonic
        dialect = ledger.database.dialect
        self._queue = queue_of(dialect)
        self._holders = Holders(dialect, lease)
        self.sealer = BytesSealer(PURPOSE)
        self.router = Router(self._queue, dialect, self.sealer)
        self._documents: tuple[str, ...] = ()
        self._triggers: list[Trigger] = []
        self._beat_at = 0.0
        self._purge_at = 0.0

    def enter(self) -> None:
        """Take a place among the deliverers.

        Raises:
            LeaseHeldError: there is one on SQLite already.
            AstrioError: the ledger cannot be opened.
        """
        with self._line.transaction() as connection:
            self._holders.enter(connection)
            self._mend_waits(connection)

    def settings(self) -> tuple[list[TargetRow], list[Trigger]]:
        """Return all targets and triggers."""
        with self._line.transaction() as connection:
            targets, documents = read_targets(connection), read_documents(connection)
        if documents != self._documents:
            self._documents = documents
            self._triggers = list(map(read_trigger, documents))
        return targets, self._triggers

    def turn(self, asked: Asked) -> Done:
        """Mark, route and claim; all of it is durable on return, or nothing is.

        Raises:
            AstrioError: the ledger cannot be reached or written.
        """
        now = self._now()
        with self._line.transaction() as connection:
            self._beat(connection, now)
            self._mark(connection, asked.marks, now)
            notices = write_health(connection, asked.health, now) if asked.health else []
            routed = self.router.route(connection, now)
            claimed: Sequence[Claimed] = ()
            if asked.most > 0 and asked.slots:
                claimed = self._queue.claim(
                    connection, self._holders.id, asked.slots, asked.most, now
                )
        return Done(claimed, routed, [*notices, *_dead(asked.marks)])

    def hold_up(self, reasons: Mapping[str, str]) -> None:
        """Tell deliveries to these targets why they are not sent now; raises as `turn`."""
        with self._line.transaction() as connection:
            hold_up(connection, reasons, self._now())

    def leave(self) -> None:
        """Give up the place and what is still held, and close the connection."""
        try:
            with self._line.transaction() as connection:
                self._holders.leave(connection, self._now())
        finally:
            self._line.close()

    def _mark(self, connection: Connection, marks: Sequence[Marked], now: float) -> None:
        if not marks:
            return
        keys = {
            (each.claimed.target, each.claimed.order_key)
            for each in marks
            if each.claimed.order_key is not None
        }
        if keys:
            self._queue.lock_order(connection)
        self._queue.mark(connection, self._holders.id, marks, now)
        self._queue.promote(connection, keys, now)

    def _beat(self, connection: Connection, now: float) -> None:
        moment = self._monotonic()
        if moment >= self._beat_at:
            self._holders.beat(connection, moment, now)
            self._beat_at = moment + BEAT
        if moment >= self._purge_at:
            purge_some(connection, now)
            self._purge_at = moment + _PURGE_EVERY

    def _mend_waits(self, connection: Connection) -> None:
        """Let nothing wait longer than it was told to, because a clock was ahead at the time."""
        now = self._now()
        late = (delivery.c.state == State.PENDING, delivery.c.next_at > now + delivery.c.delay + 1)
        connection.execute(delivery.update().where(*late).values(next_at=now + delivery.c.delay))


def _given_up(count: int, target: str) -> str:
    if count == 1:
        return f"1 delivery to {target} was given up"
    return f"{count} deliveries to {target} were given up"


def _dead(marks: Sequence[Marked]) -> list[Notice]:
    """Return one notice for each target that has new dead letters."""
    by_target: dict[str, list[str]] = {}
    for mark in marks:
        if mark.state is State.DEAD:
            by_target.setdefault(mark.claimed.target, []).append(mark.claimed.id)
    return [
        Notice(
            "dead",
            target,
            f"{_given_up(len(ids), target)}; `astrio deliveries list --state dead` shows them.",
            tuple(ids),
        )
        for target, ids in by_target.items()
    ]
