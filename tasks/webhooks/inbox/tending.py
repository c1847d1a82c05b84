"""Tending the inbox: events are replayed, and purged when they are old."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import case, delete, or_, select, update

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.tables import event
from astrio.tasks.webhooks.inbox.event import State
from astrio.tasks.webhooks.inbox.looking import Which

WINDOW: Final = 7 * 86400.0  # seconds for which a delivery is known again
_AT_ONCE: Final = 500  # rows of a transaction, which keeps the gateway waiting no longer
_ENDED: Final = (State.DONE, State.DEAD)


def noted(ids: Sequence[str], flow_run: str, ledger: Ledger | None = None) -> None:
    """Note which flow run works on events, or has worked on them last."""
    mine = update(event).where(event.c.id.in_(ids)).values(flow_run=flow_run)
    with (ledger or Ledger()).writing() as connection:
        connection.execute(mine)


def replay(which: Which, ledger: Ledger | None = None, now: Callable[[], float] = time.time) -> int:
    """Let events be due again, with their ids but another idempotency key; return how many.

    Of several integrations only those that were not through with a dead event get it again.
    What is claimed right now is left to its holder, and what was purged has nothing to replay.
    """
    moment = now()
    again = (
        update(event)
        .where(*which.conditions(), event.c.sealed.is_not(None), event.c.state != State.STARTED)
        .values(
            state=State.RECEIVED,
            changed_at=moment,
            due_at=moment,
            attempts=0,
            replays=event.c.replays + 1,
            done_by=case((event.c.state == State.DONE, ""), else_=event.c.done_by),
            error="",
            flow_run=None,
        )
    )
    with (ledger or Ledger()).writing() as connection:
        return connection.execute(again).rowcount


def purge(
    which: Which,
    ledger: Ledger | None = None,
    now: Callable[[], float] = time.time,
    window: float = WINDOW,
) -> int:
    """Erase headers and bodies of events that are done or dead; return how many.

    The rows themselves go once they are older than `window` seconds: until then a delivery that
    comes again is known.
    """
    ledger, old = ledger or Ledger(), now() - window
    ended = [*which.conditions(), event.c.state.in_(_ENDED)]
    mine = or_(event.c.received_at < old, event.c.sealed.is_not(None))
    query = select(event.c.id, event.c.received_at, event.c.sealed.is_not(None))
    count, some = 0, query.where(*ended, mine).order_by(event.c.id).limit(_AT_ONCE)
    while True:
        with ledger.writing() as connection:
            rows = connection.execute(some).all()
            gone = [id_ for id_, received_at, _ in rows if received_at < old]
            kept = [id_ for id_, received_at, _ in rows if received_at >= old]
            connection.execute(delete(event).where(event.c.id.in_(gone)))
            connection.execute(update(event).where(event.c.id.in_(kept)).values(sealed=None))
        count += sum(bool(full) for _, _, full in rows)
        if len(rows) < _AT_ONCE:
            return count
