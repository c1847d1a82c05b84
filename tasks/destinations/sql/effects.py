"""Which events have had their effect: noted in the transaction that writes it.

An event that comes again (a process died before it could tell that it was done) has no second
effect. The notes are kept with the watermarks of parts, under names that no part has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from astrio.tasks.destinations.sql import moment, partitions
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import partition

KEPT: Final = timedelta(days=35)
_PREFIX: Final = "effect:"


def load(connection: Connection, stream: Stream, events: Sequence[str]) -> set[str]:
    """Return those of the events that have had their effect."""
    found = partitions.load(connection, stream, [_PREFIX + event for event in events])
    return {name.removeprefix(_PREFIX) for name in found}


def save(connection: Connection, dialect: Dialect, stamp: Stamp, events: Sequence[str]) -> None:
    """Note that these events have had their effect."""
    rows = [
        {
            "stream": stamp.stream.id,
            "partition": _PREFIX + event,
            "watermark": json.dumps(stamp.run_id),
            "updated_at": stamp.at,
        }
        for event in events
    ]
    if rows:
        same = [partition.c.stream, partition.c.partition]
        connection.execute(dialect.upsert(partition, same), rows)


def forget(connection: Connection, stream: Stream, now: datetime) -> None:
    """Drop notes that are older than any event that could come again."""
    named = partition.c.partition.startswith(_PREFIX, autoescape=True)
    old = partition.c.updated_at < moment.written(now - KEPT)
    connection.execute(partition.delete().where(partition.c.stream == stream.id, named, old))
