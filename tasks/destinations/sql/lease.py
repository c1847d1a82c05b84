"""The lease: one run of a stream at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from astrio.blocks.errors import LeaseHeldError
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.moment import written
from astrio.tasks.destinations.sql.process import Process
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import lease

TTL: Final = timedelta(seconds=30)


class Lease:
    """The right to write a stream, as one opening of it holds it."""

    def __init__(self, stream: Stream, run_id: str, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._run_id = run_id
        self._clock = clock
        self._holder = uuid.uuid4().hex

    def take(self, connection: Connection, dialect: Dialect) -> None:
        """Take the lease within a write transaction.

        Raises:
            LeaseHeldError: another live run holds it.
        """
        blank = dialect.upsert(lease, [lease.c.stream]).values(stream=self._stream.id)
        connection.execute(blank)
        self.check_free(connection)
        now, process = self._clock(), Process.current()
        values = {
            "holder": self._holder,
            "host": process.host,
            "pid": process.pid,
            "machine": process.machine,
            "process_start": process.start,
            "acquired_at": written(now),
            "expires_at": written(now + TTL),
            "run_id": self._run_id,
        }
        connection.execute(lease.update().where(self._is_ours).values(values))

    def check_free(self, connection: Connection) -> None:
        """Raise LeaseHeldError if another live run holds the lease."""
        query = select(lease).where(lease.c.stream == self._stream.id).with_for_update()
        row = connection.execute(query).first()
        if row is not None and is_live(row, self._clock()):
            raise self._held_by(row)

    def extend(self, connection: Connection) -> None:
        """Hold the lease for another term; fences off a run that has lost it.

        Raises:
            LeaseHeldError: another run has taken it over.
        """
        if not self.still_held(connection):
            query = select(lease).where(lease.c.stream == self._stream.id)
            raise self._held_by(connection.execute(query).first())

    def still_held(self, connection: Connection) -> bool:
        """Hold the lease for another term, if no other run has taken it over."""
        mine = (self._is_ours, lease.c.holder == self._holder)
        expires = written(self._clock() + TTL)
        extended = connection.execute(lease.update().where(*mine).values(expires_at=expires))
        return extended.rowcount == 1

    def release(self, connection: Connection) -> None:
        """Give the lease back."""
        connection.execute(lease.delete().where(self._is_ours, lease.c.holder == self._holder))

    @property
    def _is_ours(self) -> Any:
        return lease.c.stream == self._stream.id

    def _held_by(self, row: Row[Any] | None) -> LeaseHeldError:
        what = f"{self._stream.integration} (table {self._stream.table})"
        who = "which has ended since" if row is None else described(row)
        return LeaseHeldError(
            f"Another run of {what} is at work: {who}.",
            advice="Wait for it with --wait, or stop that process.",
        )


def is_live(row: Row[Any], now: datetime) -> bool:
    """Whether the lease is held: its term lasts, and its process is not known to have ended."""
    if row.holder is None or row.expires_at <= written(now):
        return False
    return not Process(row.host, row.pid, row.machine, row.process_start).is_gone()


def described(row: Row[Any]) -> str:
    """Return who holds the lease, and since when."""
    return f"process {row.pid} on {row.host}, since {row.acquired_at[:19]}Z"
