"""Records that one integration hands over to another: events of the inbox, one kind for each edge.

No drainer claims them: the receiving integration's own run reads them, under the lease of its
stream, and they are done once its destination has them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import delete, func, select, update

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.ledger.tables import event
from astrio.tasks.webhooks.inbox.appending import PURPOSE
from astrio.tasks.webhooks.inbox.event import Event, State, opened
from astrio.tasks.webhooks.inbox.tending import WINDOW

_AT_ONCE: Final = 500
_ENDED: Final = (State.DONE, State.DEAD)


def edge(sender: str, receiver: str) -> str:
    """Return the name under which the records of one integration wait for another."""
    return f"{sender}>{receiver}"


def waiting(
    edges: Sequence[str], after: str, most: int, ledger: Ledger | None = None
) -> list[Event]:
    """Return the oldest events that wait, with their records; those after an id, so many at most.

    Raises:
        AstrioError: the ledger cannot be read, or its key is another one.
    """
    ledger = ledger or Ledger()
    if not ledger.exists():
        return []
    query = select(event).where(
        event.c.source.in_(edges), event.c.state.not_in(_ENDED), event.c.id > after
    )
    with ledger.reading() as connection:
        rows = connection.execute(query.order_by(event.c.id).limit(most)).all()
    sealer = BytesSealer(PURPOSE)
    return [opened(row, sealer) for row in rows]


def count_waiting(edges: Sequence[str], ledger: Ledger | None = None) -> int:
    """Return how many events wait; raises as `waiting`."""
    ledger = ledger or Ledger()
    if not ledger.exists():
        return 0
    mine = (event.c.source.in_(edges), event.c.state.not_in(_ENDED))
    with ledger.reading() as connection:
        return int(connection.execute(select(func.count()).where(*mine)).scalar_one())


def taken_over(
    ids: Sequence[str],
    edges: Sequence[str],
    ledger: Ledger | None = None,
    now: Callable[[], float] = time.time,
) -> None:
    """Let events be done, and erase their records: they are where they were to go.

    That they were there is known for a week, so that none is handed over a second time.
    """
    ledger, moment = ledger or Ledger(), now()
    done = {"state": State.DONE, "changed_at": moment, "due_at": None, "sealed": None}
    for start in range(0, len(ids), _AT_ONCE):
        some = event.c.id.in_(ids[start : start + _AT_ONCE])
        with ledger.writing() as connection:
            connection.execute(update(event).where(some).values(done))
    old = (event.c.source.in_(edges), event.c.state == State.DONE)
    with ledger.writing() as connection:
        connection.execute(delete(event).where(*old, event.c.changed_at < moment - WINDOW))
