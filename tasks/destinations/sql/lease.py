"""The lease: one run of a stream at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from astrio.blocks.errors import LeaseHeldError
from astrio.tasks.destinations.part import PartTakenError
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.moment import written
from astrio.tasks.destinations.sql.process import Process
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import lease

TTL: Final = timedelta(seconds=30)
FORGOTTEN: Final = timedelta(days=1)
"""How long after its term a lease that nobody has given back, nor taken over, is swept away."""

_WAITING: Final = "?"


class Lease:
    """The right to write a stream, or a part of it, as one opening holds it.

    Parts of a stream are written at once, but none beside a run of what it is a part of, unless
    the rows' versions make that safe (`beside`).
    """

    def __init__(
        self, stream: Stream, run_id: str, clock: Callable[[], datetime], *, beside: bool = False
    ) -> None:
        self._stream = stream
        self._run_id = run_id
        self._clock = clock
        self._holder = uuid.uuid4().hex
        self._beside = beside

    def take(self, connection: Connection, dialect: Dialect) -> None:
        """Take the lease within a write transaction.

        Raises:
            LeaseHeldError: another live run holds it.
        """
        whole, taken = self._stream.whole.id, False
        while not taken:
            for name in dict.fromkeys([whole, self._stream.id]):
                blank = dialect.upsert(lease, [lease.c.stream]).values(stream=name)
                connection.execute(blank)
            # Whoever takes a part waits here for whoever is just taking another.
            query = select(lease.c.stream).where(lease.c.stream == whole)
            if connection.execute(query.with_for_update()).first() is None:
                continue  # its holder has just given it back, and its row with it
            self.check_free(connection)
            row = self._row(TTL)
            update = lease.update().where(self._is_ours).values(row)
            taken = connection.execute(update).rowcount == 1
        waited = lease.c.stream == self._waiting
        connection.execute(lease.delete().where(waited))
        self._sweep(connection)

    def _sweep(self, connection: Connection) -> None:
        """Remove what killed processes have left of this stream: a part that is done stays done.

        Looked up without a lock, and removed row by row, so that no part at work is waited for.
        """
        parts = lease.c.stream.startswith(f"{self._stream.whole.id}#", autoescape=True)
        lapsed = lease.c.expires_at <= written(self._clock() - FORGOTTEN)
        for name in [*connection.execute(select(lease.c.stream).where(parts, lapsed)).scalars()]:
            connection.execute(lease.delete().where(lease.c.stream == name, lapsed))

    def wish(self, connection: Connection, dialect: Dialect, lasting: timedelta) -> None:
        """Note that this run waits for parts of its stream: until then, no other of them begins."""
        row = self._row(lasting)
        insert = dialect.upsert(lease, [lease.c.stream], tuple(row))
        connection.execute(insert.values({"stream": self._waiting, **row}))

    def _row(self, lasting: timedelta) -> dict[str, Any]:
        now, process = self._clock(), Process.current()
        return {
            "holder": self._holder,
            "host": process.host,
            "pid": process.pid,
            "machine": process.machine,
            "process_start": process.start,
            "acquired_at": written(now),
            "expires_at": written(now + lasting),
            "run_id": self._run_id,
        }

    def check_free(self, connection: Connection) -> None:
        """Raise LeaseHeldError if another live run holds it, or one that must not be beside it."""
        query = select(lease).where(lease.c.stream == self._stream.id).with_for_update()
        found = [*connection.execute(query)]
        if not self._beside:
            within = lease.c.stream.startswith(f"{self._stream.id}#", autoescape=True)
            waiting = [f"{name}#{_WAITING}" for name in self._stream.above]
            around = lease.c.stream.in_([*self._stream.above, *waiting])
            others = select(lease).where(or_(within, around), lease.c.stream != self._waiting)
            found += connection.execute(others.with_for_update())
        for row in found:
            if is_live(row, self._clock()):
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

    @property
    def _waiting(self) -> str:
        return f"{self._stream.id}#{_WAITING}"

    def _held_by(self, row: Row[Any] | None) -> LeaseHeldError:
        what = f"{self._stream.integration} (table {self._stream.table})"
        part = self._stream.part if row is None else row.stream.split("#")[1:]
        what = ", ".join([what, *part]).removesuffix(f", {_WAITING}")
        who = "which has ended since" if row is None else described(row)
        is_same_part = self._stream.part and (row is None or row.stream == self._stream.id)
        error = PartTakenError if is_same_part else LeaseHeldError
        return error(
            f"Another run of {what} is at work: {who}.",
            advice="Wait for it with --wait, or stop that process.",
        )


def held(connection: Connection, stream: Stream, now: datetime) -> dict[str, str]:
    """Return who holds which of the stream's parts, by their names."""
    mine = lease.c.stream.startswith(f"{stream.id}#", autoescape=True)
    rows = connection.execute(select(lease).where(mine))
    live = [row for row in rows if is_live(row, now)]
    return {row.stream.removeprefix(f"{stream.id}#"): described(row) for row in live}


def is_live(row: Row[Any], now: datetime) -> bool:
    """Whether the lease is held: its term lasts, and its process is not known to have ended."""
    if row.holder is None or row.expires_at <= written(now):
        return False
    return not Process(row.host, row.pid, row.machine, row.process_start).is_gone()


def described(row: Row[Any]) -> str:
    """Return who holds the lease, and since when."""
    return f"process {row.pid} on {row.host}, since {row.acquired_at[:19]}Z"
