"""Retention: what is old goes, in small portions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, exists, select

from astrio.tasks.ledger.outbox_tables import attempt, delivery, event
from astrio.tasks.webhooks.outbox.queue import State

KEEP: Final = 14 * 86400.0
KEEP_DEAD: Final = 90 * 86400.0
_PORTION: Final = 2000


def purge_some(
    connection: Connection, now: float, keep: float = KEEP, keep_dead: float = KEEP_DEAD
) -> int:
    """Erase some of the deliveries that ended long ago, with their attempts; return how many.

    Events, with their payloads, go once no delivery of theirs is left; until then an idempotency
    key is known.

    Args:
        connection: within a write transaction.
        now: epoch seconds.
        keep: seconds for which what was delivered or cancelled is kept.
        keep_dead: seconds for which dead letters are kept.
    """
    gone = _purge(connection, [State.DELIVERED, State.CANCELLED], now - keep)
    gone += _purge(connection, [State.DEAD], now - keep_dead)
    alone = ~exists().where(delivery.c.event_number == event.c.number)
    old = select(event.c.number).where(
        event.c.created_at < now - keep, event.c.state != "new", alone
    )
    connection.execute(delete(event).where(event.c.number.in_(old.limit(_PORTION))))
    return gone


def _purge(connection: Connection, states: list[State], before: float) -> int:
    old = select(delivery.c.number).where(
        delivery.c.changed_at < before, delivery.c.state.in_(states)
    )
    numbers = list(connection.execute(old.limit(_PORTION)).scalars())
    if not numbers:
        return 0
    connection.execute(delete(attempt).where(attempt.c.delivery.in_(numbers)))
    return connection.execute(delete(delivery).where(delivery.c.number.in_(numbers))).rowcount
