"""The deliverers at work, known by their beats; nobody's clock decides who has lost its lease.

Each deliverer counts up its own beat. Who sees another's stand still for a whole lease, by a clock
that only runs forwards, gives what that one holds to whoever comes next. So a clock that jumps
neither frees a lease too soon nor keeps one too long.
"""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import Connection, select

from astrio.blocks.errors import LeaseHeldError
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.process import Process
from astrio.tasks.ledger.outbox_tables import deliverer as table
from astrio.tasks.ledger.outbox_tables import delivery
from astrio.tasks.webhooks.outbox.queue import State

LEASE: Final = 15.0
BEAT: Final = 1.0
_BLIND: Final = 4 * BEAT


class Holders:
    """This deliverer's own place among them; times are seconds of a monotonic clock."""

    def __init__(self, dialect: Dialect, lease: float = LEASE) -> None:
        """Take the ledger's dialect, and for how long a beat may stand still."""
        self._dialect = dialect
        self._lease = lease
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked_at: float | None = None
        self.id = uuid.uuid4().hex

    def enter(self, connection: Connection) -> None:
        """Take a place, within a write transaction.

        Raises:
            LeaseHeldError: another deliverer is at work on SQLite, which bears only one.
        """
        if not self._dialect.concurrent:
            for row in connection.execute(select(table)).all():
                if not Process(row.host, row.pid, row.machine, row.process_start).is_gone():
                    raise LeaseHeldError(
                        f"Another deliverer is at work: process {row.pid} on {row.host}.",
                        advice="Stop it; or set ASTRIO_LEDGER_URL to a PostgreSQL database, where "
                        "several may work at once.",
                    )
        self._insert(connection)

    def beat(self, connection: Connection, now: float, wall: float) -> bool:
        """Show that this one is at work, and free what others have lost.

        Args:
            connection: within a write transaction.
            now: of the monotonic clock.
            wall: when what is freed is due, epoch seconds.

        Returns:
            False: this one has lost its own lease; it has a new id, and holds nothing.
        """
        counted = table.update().where(table.c.holder == self.id).values(beat=table.c.beat + 1)
        kept = connection.execute(counted).rowcount == 1
        if not kept:
            self.id = uuid.uuid4().hex
            self._insert(connection)
        if self._looked_at is not None and now - self._looked_at > _BLIND:
            self._seen.clear()  # who could not look cannot say who stood still
        self._looked_at = now
        for row in connection.execute(select(table).where(table.c.holder != self.id)).all():
            process = Process(row.host, row.pid, row.machine, row.process_start)
            if process.is_gone() or self._stands_still(row.holder, row.beat, now):
                self.free(connection, row.holder, wall)
        return kept

    def leave(self, connection: Connection, wall: float) -> None:
        """Give up the place, and whatever is still held."""
        self.free(connection, self.id, wall)

    def free(self, connection: Connection, holder: str, wall: float) -> None:
        """Give back what a deliverer holds, due at once."""
        self._seen.pop(holder, None)
        connection.execute(table.delete().where(table.c.holder == holder))
        held = (delivery.c.holder == holder, delivery.c.state == State.CLAIMED)
        again = {"state": State.PENDING, "holder": None, "next_at": wall, "delay": 0.0}
        connection.execute(delivery.update().where(*held).values(**again))

    def _stands_still(self, holder: str, beat: int, now: float) -> bool:
        seen = self._seen.get(holder)
        if seen is None or seen[0] != beat:
            self._seen[holder] = beat, now
            return False
        return now - seen[1] >= self._lease

    def _insert(self, connection: Connection) -> None:
        process = Process.current()
        row = {
            "holder": self.id,
            "beat": 0,
            "host": process.host,
            "pid": process.pid,
            "machine": process.machine,
            "process_start": process.start,
        }
        connection.execute(table.insert().values(row))
