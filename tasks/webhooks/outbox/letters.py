"""Looking at deliveries, sending them again, and calling them off."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_more
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import attempt, delivery, event
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.identifying import identified
from astrio.tasks.webhooks.outbox.event import PURPOSE
from astrio.tasks.webhooks.outbox.queue import OrderKey, State
from astrio.tasks.webhooks.outbox.queues import queue_of
from astrio.tasks.webhooks.outbox.targets import read_targets
from astrio.tasks.webhooks.outbox.targets import unknown as no_target

_ENDED: Final = (State.DELIVERED, State.DEAD, State.CANCELLED)
_OPEN: Final = (State.WAITING, State.PENDING, State.CLAIMED)


@dataclass(frozen=True, slots=True)
class Which:
    """Which deliveries are meant; nothing given: all of them.

    Attributes:
        ids: of deliveries, or of their events.
        targets: ids of targets.
        events: names of events.
        states: how far they have come.
        since: created at this moment or later, epoch seconds.
        until: created before this moment, epoch seconds.
    """

    ids: Sequence[str] = ()
    targets: Sequence[str] = ()
    events: Sequence[str] = ()
    states: Sequence[State] = ()
    since: float | None = None
    until: float | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return them as conditions on the table."""
        asked: list[ColumnElement[bool]] = []
        if self.ids:
            numbers = select(event.c.number).where(event.c.id.in_(self.ids))
            asked.append(delivery.c.id.in_(self.ids) | delivery.c.event_number.in_(numbers))
        for column, wanted in (
            (delivery.c.target, self.targets),
            (delivery.c.event, self.events),
            (delivery.c.state, self.states),
        ):
            if wanted:
                asked.append(column.in_(wanted))
        if self.since is not None:
            asked.append(delivery.c.created_at >= self.since)
        if self.until is not None:
            asked.append(delivery.c.created_at < self.until)
        return asked


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: when (epoch seconds), how long it took, and what was answered."""

    at: float
    ms: int
    status: int | None
    error: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery, as people look at it.

    Attributes:
        id: of the delivery; receivers see it as the id of the message.
        event_id: of the event.
        event: its name.
        trigger: the trigger that sent it there; empty if the event named its target.
        attempts: how many there were since it was routed or replayed.
        tried: how many there were in all.
        next_at: when it is tried next, epoch seconds; None: it has ended, or waits for another.
        created_at: when the event was emitted, epoch seconds.
        status: HTTP status of the last answer.
        error: what went wrong last.
        history: every attempt, if asked for.
        body: what is sent, if asked for.
    """

    id: str
    event_id: str
    event: str
    trigger: str
    target: str
    state: State
    order_key: str | None
    attempts: int
    tried: int
    replays: int
    next_at: float | None
    created_at: float
    status: int | None
    error: str
    history: tuple[Attempt, ...] = ()
    body: bytes | None = None


def listed(which: Which, limit: int = 100, ledger: Ledger | None = None) -> list[Letter]:
    """Return deliveries, the latest first; a ledger that does not exist is empty."""
    query = _joined().where(*which.conditions()).order_by(delivery.c.number.desc()).limit(limit)
    with_rows = _reading(ledger, lambda connection: connection.execute(query).all())
    return [_letter(row) for row in with_rows or []]


def shown(identity: str, ledger: Ledger | None = None) -> list[Letter]:
    """Return the delivery of that id, or those of an event, with history and body.

    Raises:
        ConfigurationError: they were sealed with another key.
    """
    query = _joined().where(*Which([identity]).conditions()).order_by(delivery.c.number)
    tries = select(attempt).order_by(attempt.c.number)

    def read(connection: Connection) -> list[tuple[Row[Any], Sequence[Row[Any]]]]:
        return [
            (row, connection.execute(tries.where(attempt.c.delivery == row.number)).all())
            for row in connection.execute(query).all()
        ]

    sealer = BytesSealer(PURPOSE)
    return [_opened(row, history, sealer) for row, history in _reading(ledger, read) or []]


def identified_letter(given: str, ledger: Ledger | None = None) -> str:
    """Return the whole id of a delivery or event of which this is the beginning.

    Raises:
        ConfigurationError: there is none, or several begin so.
    """
    unknown = ConfigurationError(
        f"There is no delivery or event {given}.", advice="`astrio deliveries list`"
    )
    return identified(given, (delivery.c.id, event.c.id), unknown, ledger or Ledger())


def require_target(name: str, ledger: Ledger | None = None) -> None:
    """Refuse a target that is not registered, and that no delivery goes to.

    Raises:
        ConfigurationError: there is no such target.
    """
    sent = select(delivery.c.number).where(delivery.c.target == name).limit(1)

    def known(connection: Connection) -> bool:
        return bool(read_targets(connection, [name]) or connection.execute(sent).first())

    if not _reading(ledger, known):
        raise no_target(name)


def replay(which: Which, ledger: Ledger | None = None, now: Callable[[], float] = time.time) -> int:
    """Let deliveries that have ended begin again, with their ids; return how many.

    One whose body could not be made of its event is made anew, by the triggers as they are now.
    """
    moment = now()
    ended = [*which.conditions(), delivery.c.state.in_(_ENDED)]
    fresh = {
        "attempts": 0,
        "replays": delivery.c.replays + 1,
        "next_at": moment,
        "delay": 0.0,
        "changed_at": moment,
    }
    unmade = [*ended, delivery.c.made == 0]

    def again(connection: Connection) -> int:
        routed = select(delivery.c.event_number).where(*unmade)
        connection.execute(event.update().where(event.c.number.in_(routed)).values(state="new"))
        count = connection.execute(delivery.delete().where(*unmade)).rowcount
        free = delivery.update().where(*ended, delivery.c.order_key.is_(None))
        count += connection.execute(free.values(state=State.PENDING, **fresh)).rowcount
        return count

    def in_order(connection: Connection) -> set[OrderKey]:
        kept = delivery.update().where(*ended, delivery.c.order_key.is_not(None))
        changed = kept.values(state=State.WAITING, **fresh).returning(*_KEY)
        return {(row[0], row[1]) for row in connection.execute(changed)}

    return _changed(ledger or Ledger(), again, in_order, moment)


def cancel(which: Which, ledger: Ledger | None = None, now: Callable[[], float] = time.time) -> int:
    """Call off deliveries that have not ended; return how many.

    One that is being sent at this moment may still arrive.
    """
    moment = now()
    off = {"state": State.CANCELLED, "holder": None, "changed_at": moment}
    meant = [*which.conditions(), delivery.c.state.in_(_OPEN)]

    def free(connection: Connection) -> int:
        unordered = delivery.update().where(*meant, delivery.c.order_key.is_(None))
        return connection.execute(unordered.values(**off)).rowcount

    def in_order(connection: Connection) -> list[OrderKey]:
        ordered = delivery.update().where(*meant, delivery.c.order_key.is_not(None))
        changed = ordered.values(**off).returning(*_KEY)
        return [(row[0], row[1]) for row in connection.execute(changed)]

    return _changed(ledger or Ledger(), free, in_order, moment)


_KEY: Final = (delivery.c.target, delivery.c.order_key)


def _changed(
    ledger: Ledger,
    free: Callable[[Connection], int],
    in_order: Callable[[Connection], Sequence[OrderKey] | set[OrderKey]],
    moment: float,
) -> int:
    """Change deliveries that know no order, then those that do, and let the next of each go."""
    queue = queue_of(ledger.database.dialect)
    with ledger.writing() as connection:
        queue.lock_order(connection)
        count = free(connection)
        keys = list(in_order(connection))
        queue.promote(connection, keys, moment)
    return count + len(keys)


def _joined() -> Select[Any]:
    both = select(delivery, event.c.id.label("event_id"), event.c.sealed.label("payload"))
    return both.join(event, event.c.number == delivery.c.event_number)


def _reading(ledger: Ledger | None, work: Callable[[Connection], Any]) -> Any:
    ledger = ledger or Ledger()
    if not ledger.exists():
        return None
    with ledger.reading() as connection:
        return work(connection)


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        event_id=row.event_id,
        event=row.event,
        trigger=row.trigger,
        target=row.target,
        state=State(row.state),
        order_key=row.order_key,
        attempts=row.attempts,
        tried=row.tried,
        replays=row.replays,
        next_at=row.next_at if row.state == State.PENDING else None,
        created_at=row.created_at,
        status=row.status,
        error=row.error,
    )


def _opened(row: Row[Any], history: Sequence[Row[Any]], sealer: BytesSealer) -> Letter:
    identity = row.id.encode()
    attempts = tuple(
        Attempt(
            each.at,
            each.ms,
            each.status,
            each.error,
            sealer.unseal(each.excerpt, identity).decode() if each.excerpt else "",
        )
        for each in history
    )
    body = None
    if row.made:
        own = row.sealed is not None
        bound = identity if own else row.event_id.encode()
        body = sealer.unseal(row.sealed if own else row.payload, bound)
    return with_more(_letter(row), history=attempts, body=body)
