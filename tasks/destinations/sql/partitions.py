"""The watermarks of parts of a source, each a row of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import partition

_AT_ONCE: Final = 500


def load(connection: Connection, stream: Stream, keys: Sequence[str]) -> dict[str, Any]:
    """Return the watermarks of those parts that have one."""
    found: dict[str, Any] = {}
    for start in range(0, len(keys), _AT_ONCE):
        wanted = partition.c.partition.in_(keys[start : start + _AT_ONCE])
        query = select(partition.c.partition, partition.c.watermark)
        rows = connection.execute(query.where(partition.c.stream == stream.id, wanted))
        found.update((row.partition, json.loads(row.watermark)) for row in rows)
    return found


def save(connection: Connection, dialect: Dialect, stamp: Stamp, marks: Mapping[str, Any]) -> None:
    """Store new watermarks."""
    for key, mark in marks.items():
        told = {"watermark": json.dumps(mark), "updated_at": stamp.at}
        row = {"stream": stamp.stream.id, "partition": key, **told}
        same = [partition.c.stream, partition.c.partition]
        connection.execute(dialect.upsert(partition, same, tuple(told)).values(row))
