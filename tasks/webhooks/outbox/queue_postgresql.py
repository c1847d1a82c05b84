"""The queue on PostgreSQL: SKIP LOCKED, one statement for each batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from astrio.tasks.webhooks.outbox.queue import (
    ORDER_LOCK,
    Claimed,
    Marked,
    Queue,
    attempt_row,
    state_row,
)

_CLAIM: Final = """
    UPDATE _astrio_delivery AS d SET state = 'claimed', holder = %s, changed_at = %s
    FROM (
        SELECT due.number FROM unnest(%s::text[], %s::int[]) AS slot (target, free)
        CROSS JOIN LATERAL (
            SELECT number FROM _astrio_delivery
            WHERE target = slot.target AND state = 'pending' AND next_at <= %s
            ORDER BY next_at LIMIT slot.free FOR UPDATE SKIP LOCKED
        ) AS due LIMIT %s
    ) AS chosen, _astrio_outbox AS e
    WHERE d.number = chosen.number AND e.number = d.event_number
    RETURNING d.number, d.id, e.id, d.event, d.target, d.order_key, d.attempts, d.created_at,
        d.sealed, e.sealed
"""
_MARK: Final = """
    UPDATE _astrio_delivery AS d SET state = m.state, attempts = d.attempts + m.made,
        tried = d.tried + m.made, next_at = m.next_at, delay = m.delay, holder = NULL,
        status = m.status, error = m.error, changed_at = %s
    FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::float8[], %s::float8[], %s::int[],
        %s::text[]) AS m (number, state, made, next_at, delay, status, error)
    WHERE d.number = m.number AND d.holder = %s
"""
_ATTEMPTS: Final = """
    INSERT INTO _astrio_attempt
        (delivery, target, event, at, ms, delivered, status, error, excerpt)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::float8[], %s::int[], %s::int[],
        %s::int[], %s::text[], %s::bytea[])
"""


class PostgresqlQueue(Queue):
    """Many deliverers at once, on one machine or several."""

    def claim(
        self, connection: Connection, holder: str, slots: Mapping[str, int], most: int, now: float
    ) -> list[Claimed]:
        """Claim in one statement; each target costs one look into an index."""
        values = (holder, now, list(slots), list(slots.values()), now, most)
        return list(map(Claimed._make, _execute(connection, _CLAIM, values)))

    def mark(
        self, connection: Connection, holder: str, marks: Sequence[Marked], now: float
    ) -> None:
        """Mark in two statements."""
        # In the order of their numbers, so that nobody waits for another crosswise.
        ordered = sorted(marks, key=lambda mark: mark.claimed.number)
        columns = _columns([state_row(mark, now) for mark in ordered])
        _execute(connection, _MARK, (now, *columns, holder))
        if attempts := [attempt_row(mark) for mark in ordered if mark.answer]:
            _execute(connection, _ATTEMPTS, _columns(attempts))

    def lock_order(self, connection: Connection) -> None:
        """Wait for whoever has the lock."""
        _execute(connection, "SELECT pg_advisory_xact_lock(%s)", (ORDER_LOCK,))

    def try_routing(self, connection: Connection) -> bool:
        """Take the same lock, if it is free."""
        found = _execute(connection, "SELECT pg_try_advisory_xact_lock(%s)", (ORDER_LOCK,))
        return bool(found.fetchone()[0])


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _execute(connection: Connection, statement: str, values: tuple[Any, ...]) -> Any:
    # The driver itself: SQLAlchemy would look at each value and each row.
    driver: Any = connection.connection.driver_connection
    return driver.execute(statement, values, binary=True)
