"""How long the quarantine keeps records: open ones, and the content of closed ones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from astrio.tasks.destinations.settings import QuarantineSettings
from astrio.tasks.destinations.sql import moment
from astrio.tasks.destinations.sql.kept import DROPPED
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import is_open, quarantine


def enforce(
    connection: Connection, stream: Stream, keeping: QuarantineSettings, now: datetime
) -> list[str]:
    """Discard open records and drop content that are kept long enough; return what to tell.

    A row itself stays: its key, field, rule, reason and times.
    """
    discarded = _discard(connection, stream, keeping, now)
    dropped = {"record": DROPPED, "problems": ""}
    long_closed = quarantine.c.closed_at <= moment.written(now - keeping.closed_for)
    mine = (quarantine.c.stream == stream.id, long_closed, quarantine.c.record != DROPPED)
    connection.execute(quarantine.update().where(*mine).values(dropped))
    if not discarded:
        return []
    return [
        f"{discarded} rejected records were last seen more than {keeping.keep} ago and have been "
        f"discarded (quarantine.keep): `astrio quarantine list {stream.integration} --state "
        "discarded` lists them."
    ]


def _discard(
    connection: Connection, stream: Stream, keeping: QuarantineSettings, now: datetime
) -> int:
    if keeping.open_for is None:
        return 0
    forgotten = quarantine.c.last_seen < moment.written(now - keeping.open_for)
    note = f"not mended within {keeping.keep}"
    closed = {"state": "discarded", "closed_at": moment.written(now), "note": note}
    mine = (quarantine.c.stream == stream.id, is_open, forgotten)
    return connection.execute(quarantine.update().where(*mine).values(closed)).rowcount
