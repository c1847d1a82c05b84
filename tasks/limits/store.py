"""When the next request of a credential may be sent, in the ledger (GCRA, one row a credential)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.tables import limit as table


class LimitStore:
    """Gives out the moments at which requests may be sent; each call is one transaction."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        """Take the ledger."""
        self._ledger = ledger or Ledger()

    def claim(self, id_: str, count: int, interval: float, now: float) -> list[float]:
        """Take the next moments, `interval` seconds apart, for the caller alone.

        Args:
            id_: the credential.
            count: how many.
            interval: seconds between two requests.
            now: epoch seconds; no moment lies before it.
        """
        with self._ledger.writing() as connection:
            row = self._row(connection, id_)
            first = max(row.free_at, row.blocked_until, now)
            self._update(connection, id_, free_at=first + count * interval)
        return [first + number * interval for number in range(count)]

    def block(self, id_: str, until: float) -> None:
        """Let nobody send before a moment, epoch seconds."""
        with self._ledger.writing() as connection:
            row = self._row(connection, id_)
            self._update(connection, id_, blocked_until=max(row.blocked_until, until))

    def _row(self, connection: Connection, id_: str) -> Any:
        blank = self._ledger.database.dialect.insert(table)
        values = {"id": id_, "free_at": 0.0, "blocked_until": 0.0}
        connection.execute(blank.values(values).on_conflict_do_nothing())
        return connection.execute(select(table).where(table.c.id == id_).with_for_update()).one()

    def _update(self, connection: Connection, id_: str, **values: float) -> None:
        connection.execute(table.update().where(table.c.id == id_).values(**values))
