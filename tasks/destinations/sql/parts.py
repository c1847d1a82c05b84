"""The state of a part of a stream: loaded when it is opened, and noted when it is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.part import Part, kept
from astrio.tasks.destinations.quarantined import PartStatus
from astrio.tasks.destinations.sql import checkpoint, partitions, tables
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.lease import held
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.report import RunReport


def load(connection: Connection, stream: Stream, part: Part) -> StreamState:
    """Return what is remembered of the stream, or of the part that it is.

    A part that is read once has no watermark: it gets the one of what it is a part of, which
    tells how the source writes its cursor.
    """
    state = checkpoint.load(connection, stream)
    if not part.once:
        return state
    mark = checkpoint.load(connection, stream.outer).watermark
    found = done(connection, stream.outer, [part.once])
    return replace(state, watermark=mark, done=found.get(part.once))


def end(
    connection: Connection, dialect: Dialect, stamp: Stamp, part: Part, report: RunReport
) -> None:
    """Note that a part is done, if it is read once, and forget where it stood."""
    if part.once:
        outer = replace(stamp, stream=stamp.stream.outer)
        partitions.save(
            connection, dialect, outer, {part.once: kept(report.model_dump(mode="json"))}
        )
        checkpoint.drop(connection, stamp.stream)


def standing(connection: Connection, stream: Stream, now: datetime) -> list[PartStatus]:
    """Return where each part of the stream stands that has a state of its own, by its name."""
    mine = tables.checkpoint.c.stream.startswith(f"{stream.id}#", autoescape=True)
    query = select(tables.checkpoint).where(mine).order_by(tables.checkpoint.c.stream)
    rows = connection.execute(query).all()
    holders = held(connection, stream, now) if rows else {}
    found: list[PartStatus] = []
    for row in rows:
        name = row.stream.removeprefix(f"{stream.id}#")
        mark = None if row.watermark is None else json.loads(row.watermark)
        found.append(
            {
                "part": name.replace("#", ", "),
                "watermark": mark,
                "unfinished": row.resume is not None,
                "running": holders.get(name),
            }
        )
    return found


def done(connection: Connection, stream: Stream, names: Sequence[str]) -> dict[str, Any]:
    """Return the reports of those parts that are done, by the names they are remembered by."""
    return partitions.load(connection, stream, names)
