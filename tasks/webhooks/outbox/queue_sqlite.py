"""The queue on SQLite: one deliverer, whose transactions are short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from astrio.tasks.webhooks.outbox.queue import Claimed, Marked, Queue, attempt_row, state_row

_DUE: Final = """
    SELECT number FROM _astrio_delivery
    WHERE target = ? AND state = 'pending' AND next_at <= ? ORDER BY next_at LIMIT ?
"""
_CLAIM: Final = """
    UPDATE _astrio_delivery SET state = 'claimed', holder = ?, changed_at = ? WHERE number = ?
"""
_CLAIMED: Final = """
    SELECT d.number, d.id, e.id, d.event, d.target, d.order_key, d.attempts, d.created_at,
        d.sealed, e.sealed
    FROM _astrio_delivery AS d JOIN _astrio_outbox AS e ON e.number = d.event_number
    WHERE d.number = ?
"""
_MARK: Final = """
    UPDATE _astrio_delivery SET state = ?, attempts = attempts + ?, tried = tried + ?,
        next_at = ?, delay = ?, holder = NULL, status = ?, error = ?, changed_at = ?
    WHERE number = ? AND holder = ?
"""
_ATTEMPT: Final = """
    INSERT INTO _astrio_attempt
        (delivery, target, event, at, ms, delivered, status, error, excerpt)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class SqliteQueue(Queue):
    """One process on one machine."""

    def claim(
        self, connection: Connection, holder: str, slots: Mapping[str, int], most: int, now: float
    ) -> list[Claimed]:
        """Claim target by target."""
        driver: Any = connection.connection.driver_connection
        numbers: list[tuple[int]] = []
        for target, free in slots.items():
            if len(numbers) >= most:
                break
            values = (target, now, min(free, most - len(numbers)))
            numbers += driver.execute(_DUE, values).fetchall()
        driver.executemany(_CLAIM, [(holder, now, number) for (number,) in numbers])
        rows = [driver.execute(_CLAIMED, number).fetchone() for number in numbers]
        return [Claimed._make(row) for row in rows]

    def mark(
        self, connection: Connection, holder: str, marks: Sequence[Marked], now: float
    ) -> None:
        """Mark row by row, in one transaction."""
        driver: Any = connection.connection.driver_connection
        rows = [state_row(mark, now) for mark in marks]
        driver.executemany(
            _MARK,
            [
                (state, made, made, next_at, delay, status, error, now, number, holder)
                for number, state, made, next_at, delay, status, error in rows
            ],
        )
        driver.executemany(_ATTEMPT, [attempt_row(mark) for mark in marks if mark.answer])
