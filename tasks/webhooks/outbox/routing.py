"""Routing: each new event becomes one delivery for each target that wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, literal_column, select, update

from astrio.blocks.errors import AstrioError, ConfigurationError, RecordRejectedError
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.ledger.outbox_tables import delivery, event
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.outbox.event import delivery_id, is_pattern
from astrio.tasks.webhooks.outbox.queue import OrderKey, Queue, State
from astrio.tasks.webhooks.outbox.trigger import Prepared, Trigger, body_of

BATCH: Final = 500
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class TargetForm:
    """What routing has to know of a target: the type of its bodies, seconds before its first."""

    content_type: str
    first_delay: float

    @property
    def is_json(self) -> bool:
        """Whether a payload is sent as it was emitted."""
        return "json" in self.content_type


JSON_FORM: Final = TargetForm("application/json", 0.0)


class Router:
    """Routes by the triggers it was given last; before that, events wait."""

    def __init__(self, queue: Queue, dialect: Dialect, sealer: BytesSealer) -> None:
        """Take the queue, the ledger's dialect, and what unseals payloads."""
        self._queue = queue
        self._dialect = dialect
        self._sealer = sealer
        self._named: dict[str, list[Prepared]] | None = None
        self._patterned: list[Prepared] = []
        self._forms: Mapping[str, TargetForm] = {}

    def use(self, triggers: Sequence[Trigger], forms: Mapping[str, TargetForm]) -> None:
        """Route by these triggers from now on."""
        now = datetime.now(UTC)
        self._named, self._patterned = {}, []
        for trigger in triggers:
            prepared = Prepared(trigger, now)
            if any(is_pattern(name) for name in trigger.on):
                self._patterned.append(prepared)
            else:
                for name in dict.fromkeys(trigger.on):
                    self._named.setdefault(name, []).append(prepared)
        self._forms = forms

    def route(self, connection: Connection, now: float) -> int:
        """Route events that nobody has routed, in the order they were emitted; return how many.

        Args:
            connection: within a write transaction.
            now: epoch seconds.
        """
        if self._named is None:
            return 0
        query = select(event).where(_NEW).order_by(event.c.number).limit(BATCH)
        if connection.execute(query.with_only_columns(event.c.number).limit(1)).first() is None:
            return 0
        if not self._queue.try_routing(connection):
            return 0
        rows = connection.execute(query).all()
        made = [each for row in rows for each in self._deliveries(row, now)]
        if made:
            insert = self._dialect.insert(delivery).on_conflict_do_nothing(index_elements=["id"])
            connection.execute(insert, made)
        numbers = [{"routed": row.number} for row in rows]
        connection.execute(_ROUTED, numbers)
        self._queue.promote(connection, list(_keys(made)), now)
        return len(rows)

    def _deliveries(self, row: Row[Any], now: float) -> Iterator[dict[str, Any]]:
        """Yield the deliveries of an event."""
        if row.target is not None:
            alone = Trigger(name="", on=(row.name,), targets=(row.target,))
            yield from self._triggered(Prepared(alone, _EPOCH), row, now)
            return
        for prepared in (self._named or {}).get(row.name, ()):
            yield from self._triggered(prepared, row, now)
        for prepared in self._patterned:
            if prepared.trigger.wants(row.name):
                yield from self._triggered(prepared, row, now)

    def _triggered(self, prepared: Prepared, row: Row[Any], now: float) -> Iterator[dict[str, Any]]:
        trigger = prepared.trigger
        forms = [self._forms.get(target, JSON_FORM) for target in trigger.targets]
        if not trigger.looks_inside and all(form.is_json for form in forms):
            for target in trigger.targets:
                yield self._delivery(row, trigger.name, target, now, row.order_key)
            return
        try:
            payload = msgspec.json.decode(self._sealer.unseal(row.sealed, row.id.encode()))
            if not prepared.wanted(payload):
                return
            content = prepared.content(row.name, payload, row.created_at)
            order_key = prepared.order_key(payload) or row.order_key
            bodies = [body_of(content, form.content_type) for form in forms]
        except (RecordRejectedError, ConfigurationError) as error:
            for target in trigger.targets:
                yield self._unmade(row, trigger.name, target, now, error)
            return
        for target, body in zip(trigger.targets, bodies, strict=True):
            made = self._delivery(row, trigger.name, target, now, order_key)
            yield made | {"sealed": self._sealer.seal(body, made["id"].encode())}

    def _delivery(
        self, row: Row[Any], trigger: str, target: str, now: float, order_key: str | None
    ) -> dict[str, Any]:
        delay = self._forms.get(target, JSON_FORM).first_delay
        return {
            "id": delivery_id(row.id, trigger, target),
            "event_number": row.number,
            "event": row.name,
            "trigger": trigger,
            "target": target,
            "order_key": order_key,
            "state": State.PENDING if order_key is None else State.WAITING,
            "made": 1,
            "attempts": 0,
            "tried": 0,
            "replays": 0,
            "next_at": now + delay,
            "delay": delay,
            "created_at": row.created_at,
            "changed_at": now,
            "error": "",
            "sealed": None,
        }

    def _unmade(
        self, row: Row[Any], trigger: str, target: str, now: float, error: AstrioError
    ) -> dict[str, Any]:
        """Return a dead delivery that has no body; replayed, its event is routed once more."""
        dead = self._delivery(row, trigger, target, now, None)
        reason = f"What is sent could not be made of the event: {error.message}"
        return dead | {"state": State.DEAD, "made": 0, "error": reason}


# Written out as the partial index is: SQLite uses it for no parameter.
_NEW: Final = event.c.state == literal_column("'new'")
_ROUTED: Final = update(event).where(event.c.number == bindparam("routed")).values(state="routed")


def _keys(made: Sequence[Mapping[str, Any]]) -> Iterator[OrderKey]:
    for each in made:
        if each["order_key"] is not None:
            yield each["target"], each["order_key"]
