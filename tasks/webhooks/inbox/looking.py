"""Looking into the inbox; a ledger that does not exist is empty."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.ledger.tables import event
from astrio.tasks.webhooks.identifying import identified
from astrio.tasks.webhooks.inbox.appending import PURPOSE
from astrio.tasks.webhooks.inbox.event import Event, State, opened

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Which:
    """Which events are meant; nothing given: all of them.

    Attributes:
        ids: astrio's ids, or the vendors' ids of deliveries.
        source: name of the webhook source.
        states: how far they have come.
        since: received at this moment or later, epoch seconds.
        until: received before this moment, epoch seconds.
    """

    ids: Sequence[str] = ()
    source: str | None = None
    states: Sequence[State] = ()
    since: float | None = None
    until: float | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return them as conditions on the table."""
        asked: list[ColumnElement[bool]] = []
        if self.ids:
            asked.append(event.c.id.in_(self.ids) | event.c.delivery_id.in_(self.ids))
        if self.source is not None:
            asked.append(event.c.source == self.source)
        if self.states:
            asked.append(event.c.state.in_(self.states))
        if self.since is not None:
            asked.append(event.c.received_at >= self.since)
        if self.until is not None:
            asked.append(event.c.received_at < self.until)
        return asked


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of a source waits.

    Attributes:
        waiting: events that are not done and not dead.
        oldest: when the oldest of them was received, epoch seconds.
        dead: events that were given up.
    """

    waiting: int
    oldest: float | None
    dead: int


def listed(which: Which, limit: int = 100, ledger: Ledger | None = None) -> list[Event]:
    """Return events without headers and body, the latest first."""
    query = select(event).where(*which.conditions()).order_by(event.c.id.desc()).limit(limit)
    return [opened(row, None) for row in _rows(query, ledger or Ledger())]


def shown(id_: str, ledger: Ledger | None = None) -> list[Event]:
    """Return the events whose id or delivery id this is, with headers and body.

    Raises:
        ConfigurationError: they were sealed with another key.
    """
    rows = _rows(_of(id_), ledger or Ledger())
    return [opened(row, BytesSealer(PURPOSE)) for row in rows]


def identified_event(given: str, ledger: Ledger | None = None) -> str:
    """Return the whole id (astrio's, or the vendor's) of which this is the beginning.

    Raises:
        ConfigurationError: there is none, or several begin so.
    """
    unknown = ConfigurationError(f"There is no event {given}.", advice="`astrio events list`")
    return identified(given, (event.c.id, event.c.delivery_id), unknown, ledger or Ledger())


def purged(ids: Sequence[str], ledger: Ledger | None = None) -> list[str]:
    """Return those of these ids whose events have no body any more."""
    ledger = ledger or Ledger()
    return [id_ for id_ in ids if all(row.sealed is None for row in _rows(_of(id_), ledger))]


def read(ids: Sequence[str], ledger: Ledger | None = None) -> list[Event]:
    """Return these events with headers and body, in the order of arrival; raises as `shown`."""
    ledger, sealer = ledger or Ledger(), BytesSealer(PURPOSE)
    rows = [
        row
        for start in range(0, len(ids), _AT_ONCE)
        for row in _rows(select(event).where(event.c.id.in_(ids[start : start + _AT_ONCE])), ledger)
    ]
    return sorted((opened(row, sealer) for row in rows), key=lambda each: each.id)


def due_sources(
    sources: Sequence[str], ledger: Ledger | None = None, now: Callable[[], float] = time.time
) -> list[str]:
    """Return those of the sources that have events to claim; keeps no writer waiting."""
    due = event.c.due_at <= now()
    query = select(event.c.source).where(event.c.source.in_(sources), due).distinct()
    return [row.source for row in _rows(query, ledger or Ledger())]


def counts(ledger: Ledger | None = None) -> dict[str, dict[State, int]]:
    """Return how many events of each source are in each state; reads the whole table."""
    query = select(event.c.source, event.c.state, func.count()).group_by(
        event.c.source, event.c.state
    )
    found: dict[str, dict[State, int]] = {}
    for source, state, count in _rows(query, ledger or Ledger()):
        found.setdefault(source, {})[State(state)] = count
    return found


def backlog(ledger: Ledger | None = None) -> dict[str, Backlog]:
    """Return what of each source waits, and what is dead; reads only those rows."""
    ledger = ledger or Ledger()
    waiting = (
        select(event.c.source, func.count(), func.min(event.c.received_at))
        .where(event.c.due_at.is_not(None))
        .group_by(event.c.source)
    )
    dead = (
        select(event.c.source, func.count())
        .where(event.c.state == State.DEAD)
        .group_by(event.c.source)
    )
    here = {source: (count, oldest) for source, count, oldest in _rows(waiting, ledger)}
    gone = dict(_rows(dead, ledger))
    return {
        source: Backlog(*here.get(source, (0, None)), gone.get(source, 0))
        for source in sorted(here.keys() | gone.keys())
    }


def _of(id_: str) -> Select[Any]:
    mine = (event.c.id == id_) | (event.c.delivery_id == id_)
    return select(event).where(mine).order_by(event.c.id)


def _rows(query: Select[Any], ledger: Ledger) -> Sequence[Any]:
    if not ledger.exists():
        return []
    with ledger.reading() as connection:
        return connection.execute(query).all()
