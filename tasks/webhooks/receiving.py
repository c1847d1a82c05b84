"""Events as the source of a run: each body holds a record, or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from astrio.blocks.errors import ApiAnswerError, RecordRejectedError
from astrio.blocks.literals import SENSITIVE_NAME
from astrio.tasks.batch import Page, Problem, Reject
from astrio.tasks.http.client import ApiClient
from astrio.tasks.page_source import PageSource
from astrio.tasks.paths import MISSING, JsonPath, compile_path
from astrio.tasks.selection import Keep, judged
from astrio.tasks.webhooks.bodies import decode_event
from astrio.tasks.webhooks.inbox.event import Event
from astrio.tasks.weighing import weights

PAGE_EVENTS: Final = 500
Effects = Callable[[Sequence[str]], Awaitable[set[str]]]
Shares = Callable[[Sequence[str]], Mapping[str, Any]]
Enrich = Callable[[ApiClient, Any], Awaitable[list[Any]]]


@dataclass(frozen=True, slots=True)
class EventReading:
    """How records are read from events.

    Attributes:
        records: path to the records in a body; `$`: the body is one record, or a list of them.
        allow_missing: a missing path means no records.
        keep: the filter.
        include: the field in which each record gets the event's id, time and headers.
        enrich: fetches the records that a record of the event is about.
    """

    records: str = "$"
    allow_missing: bool = False
    keep: Keep | None = None
    include: str | None = None
    enrich: Enrich | None = None


@dataclass(slots=True)
class _Read:
    """The records of one event, or why there are none."""

    records: list[Any] = field(default_factory=list)
    reject: Reject | None = None

    @property
    def count(self) -> int:
        return len(self.records) + (self.reject is not None)


class EventPages(PageSource):
    """Yields events' records, some hundred events to a page; their effects commit with it."""

    def __init__(
        self,
        events: Sequence[Event],
        reading: EventReading,
        effects: Effects,
        shares: Shares = lambda _: {},
    ) -> None:
        """Take the events, in the order in which they came, and how they are read.

        Args:
            events: what to read.
            reading: how.
            effects: returns which events have had their effect already.
            shares: returns in which of several destinations they have, after `effects`: events
                that differ in that are on pages of their own.
        """
        self._shares = shares
        self._events = events
        self._reading = reading
        self._effects = effects
        self._path = compile_path(reading.records)

    async def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:
        """Yield the pages; no events make one empty page."""
        number, held = 0, Page(1)
        for start in range(0, len(self._events), PAGE_EVENTS):
            some = self._events[start : start + PAGE_EVENTS]
            had = await self._effects([event.key for event in some])
            for events in self._alike(some):
                number += 1
                if number > 1:
                    yield held
                held = await self._page(number, events, had, session)
        held.stop_reason = "no_next"
        yield held

    def _alike(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield those together that have had their effect in the same destinations."""
        shares = self._shares([event.key for event in events])
        if len(set(shares.values())) <= 1:
            yield events
            return
        for _, group in groupby(events, lambda event: shares.get(event.key)):
            yield list(group)

    async def _page(
        self, number: int, events: Sequence[Event], had: set[str], session: ApiClient | None
    ) -> Page:
        fresh = [event for event in events if event.key not in had]
        read = await asyncio.gather(*(self._read(event, session) for event in fresh))
        known = sum(_records_of(event, self._path).count for event in events if event.key in had)
        records = [record for each in read for record in each.records]
        kept, rejects = judged(records, self._reading.keep)
        broken = [each.reject for each in read if each.reject is not None]
        return Page(
            number,
            records=kept,
            fetched=len(records) + len(broken) + known,
            filtered=len(records) - len(kept) - len(rejects),
            rejects=broken + rejects,
            known=known,
            effects=[event.key for event in fresh],
            size=weights(records),
        )

    async def _read(self, event: Event, session: ApiClient | None) -> _Read:
        read = _records_of(event, self._path, lax=self._reading.allow_missing)
        if self._reading.enrich is not None and session is not None and read.reject is None:
            read = await _enriched(session, self._reading.enrich, read)
        if self._reading.include is not None:
            read.records = [_with(record, self._reading.include, event) for record in read.records]
        return read


def _records_of(event: Event, path: JsonPath, *, lax: bool = False) -> _Read:
    if event.body is None:
        return _rejected({"event": event.id}, "body", "the event's body has been purged")
    try:
        body = decode_event(event.body, dict(event.headers))
    except RecordRejectedError as error:
        text = event.body.decode("utf-8", "backslashreplace")
        return _rejected({"event": event.id, "body": text}, "body", error.message)
    if path.definite:
        found = path.first(body, MISSING)
        if found is not MISSING:
            return _Read(found if isinstance(found, list) else [found])
        words = f"the event's body has nothing at {path.text}"
        return _Read() if lax else _rejected(body, "records", words)
    try:
        return _Read(path.records(body, allow_missing=lax))
    except ApiAnswerError as error:
        return _rejected(body, "records", error.message)


async def _enriched(session: ApiClient, enrich: Enrich, read: _Read) -> _Read:
    """Fetch what each record is about; records that are no more are rejected, not lost."""
    found: list[Any] = []
    for record in read.records:
        try:
            found += await enrich(session, record)
        except RecordRejectedError as error:
            return _rejected(record, "fetch", error.message)
    return _Read(found)


def _rejected(record: Any, rule: str, reason: str) -> _Read:
    return _Read(reject=Reject(record, [Problem(None, rule, reason)]))


def _with(record: Any, name: str, event: Event) -> Any:
    """Return the record with the event's data; one that is no object is for the mapping to tell."""
    if not isinstance(record, dict):
        return record
    headers = {
        header: value
        for header, value in event.headers
        if not SENSITIVE_NAME.search(header) and "signature" not in header
    }
    received = datetime.fromtimestamp(event.received_at, UTC).isoformat()
    about = {"id": event.id, "received_at": received, "headers": headers}
    return {**record, name: about}
