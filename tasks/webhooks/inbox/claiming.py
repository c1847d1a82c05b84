"""Working off the inbox: events are claimed for a while, and end done, failed or dead."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import case, select, update

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.ledger.tables import event
from astrio.tasks.webhooks.inbox.appending import PURPOSE
from astrio.tasks.webhooks.inbox.event import Event, State, opened

TERM: Final = 60.0  # seconds for which a claim holds, unless it is extended
_LONGEST_ERROR: Final = 1000


class Claims:
    """The right to work on events, as one drainer holds it; every method is one transaction.

    Methods that take ids change only those that this drainer still holds, and return how many
    those were: what its lease was lost of belongs to somebody else.
    """

    def __init__(
        self,
        ledger: Ledger | None = None,
        now: Callable[[], float] = time.time,
        term: float = TERM,
    ) -> None:
        """Take the ledger, what tells the time in epoch seconds, and how long a claim holds."""
        self._ledger = ledger or Ledger()
        self._now = now
        self.term = term
        self._sealer = BytesSealer(PURPOSE)
        self.holder = uuid.uuid4().hex

    def claim(self, source: str, most: int) -> list[Event]:
        """Take events that are due, the longest due first; nobody else gets them meanwhile.

        An event whose holder let its lease lapse is due again, and one attempt older.
        """
        now = self._now()
        due = (
            select(event)
            .where(event.c.source == source, event.c.due_at <= now)
            .order_by(event.c.due_at, event.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        values = {
            "state": State.STARTED,
            "holder": self.holder,
            "changed_at": now,
            "due_at": now + self.term,
            "attempts": event.c.attempts + 1,
        }
        with self._ledger.writing() as connection:
            ids = list(connection.execute(due.with_only_columns(event.c.id)).scalars())
            if not ids:
                return []
            connection.execute(update(event).where(event.c.id.in_(ids)).values(values))
            rows = connection.execute(select(event).where(event.c.id.in_(ids))).all()
        place = {id_: number for number, id_ in enumerate(ids)}
        return [opened(row, self._sealer) for row in sorted(rows, key=lambda row: place[row.id])]

    def extend(self, ids: Iterable[str]) -> int:
        """Hold events for another term."""
        return self._change(ids, due_at=self._now() + self.term)

    def begin(self, ids: Iterable[str], flow_run: str) -> int:
        """Note the flow run that works on events, and hold them for another term."""
        return self._change(ids, due_at=self._now() + self.term, flow_run=flow_run)

    def through(self, ids: Iterable[str], integration: str) -> int:
        """Note that one of several integrations is through with events, which stay claimed."""
        before = event.c.done_by
        return self._change(
            ids, done_by=case((before == "", integration), else_=before + " " + integration)
        )

    def done(self, ids: Iterable[str]) -> int:
        """Let events be done."""
        return self._end(ids, State.DONE, None)

    def failed(
        self, ids: Iterable[str], error: str, retry_at: float, *, counted: bool = True
    ) -> int:
        """Let events be due again at a moment, epoch seconds.

        Args:
            ids: the events.
            error: why, without secrets.
            retry_at: when they are due.
            counted: whether it was an attempt; False: it was no fault of theirs.
        """
        attempts = event.c.attempts if counted else event.c.attempts - 1
        return self._end(
            ids, State.FAILED, retry_at, error=error[:_LONGEST_ERROR], attempts=attempts
        )

    def dead(self, ids: Iterable[str], error: str) -> int:
        """Give events up; only a replay brings them back."""
        return self._end(ids, State.DEAD, None, error=error[:_LONGEST_ERROR])

    def release(self, ids: Iterable[str], due_at: float | None = None) -> int:
        """Put events back as if they had not been claimed; due at once, or at a moment."""
        due = self._now() if due_at is None else due_at
        return self._end(ids, State.RECEIVED, due, attempts=event.c.attempts - 1)

    def _end(self, ids: Iterable[str], state: State, due_at: float | None, **more: Any) -> int:
        now = self._now()
        return self._change(ids, state=state, changed_at=now, due_at=due_at, holder=None, **more)

    def _change(self, ids: Iterable[str], **values: Any) -> int:
        ours = update(event).where(event.c.id.in_(list(ids)), event.c.holder == self.holder)
        with self._ledger.writing() as connection:
            return connection.execute(ours.values(values)).rowcount
