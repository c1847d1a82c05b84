"""The stream's checkpoint (watermark and resume point), and the reports of its runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import checkpoint, run
from astrio.tasks.report import RunReport

_LATEST: Final = 20


def create(connection: Connection, dialect: Dialect, stamp: Stamp) -> None:
    """Add the stream's row if it is missing."""
    row = _named(stamp.stream) | {"updated_at": stamp.at}
    connection.execute(dialect.upsert(checkpoint, [checkpoint.c.stream]).values(row))


def load(connection: Connection, stream: Stream) -> StreamState:
    """Return what is remembered of the stream."""
    columns = select(checkpoint.c.watermark, checkpoint.c.resume, checkpoint.c.ties)
    row = connection.execute(columns.where(checkpoint.c.stream == stream.id)).first()
    if row is None:
        return StreamState()
    ended, unended = _ends(connection, stream)
    return StreamState(
        watermark=_read(row.watermark),
        resume=_read(row.resume),
        ties=_read(row.ties) or {},
        ended=ended,
        unended=unended,
    )


def _ends(connection: Connection, stream: Stream) -> tuple[str | None, tuple[str, ...]]:
    """Return the latest run that read the source to its end, and those begun later that did not.

    A replay reads no source.
    """
    columns = select(run.c.run_id, run.c.state, run.c.report).where(run.c.stream == stream.id)
    newest = columns.order_by(run.c.started_at.desc(), run.c.run_id).limit(_LATEST)
    unended: list[str] = []
    for row in connection.execute(newest):
        if not row.state.startswith("completed"):
            unended.append(row.run_id)
        elif not (_read(row.report) or {}).get("replay"):
            return row.run_id, tuple(unended)
    return None, tuple(unended)


def save(  # noqa: PLR0913 (what is stored is given by name)
    connection: Connection,
    stamp: Stamp,
    *,
    watermark: Any = None,
    ties: Mapping[str, Any] | None = None,
    resume: dict[str, Any] | None = None,
    clear_resume: bool = False,
) -> None:
    """Store a watermark with its ties, and a resume point; None leaves the stored one as it is."""
    values: dict[str, str | None] = {"run_id": stamp.run_id, "updated_at": stamp.at}
    if watermark is not None:
        values["watermark"] = json.dumps(watermark)
        values["ties"] = json.dumps(ties) if ties else None
    if resume is not None or clear_resume:
        values["resume"] = None if clear_resume else json.dumps(resume)
    mine = checkpoint.c.stream == stamp.stream.id
    connection.execute(checkpoint.update().where(mine).values(values))


def drop(connection: Connection, stream: Stream) -> None:
    """Forget a part of a stream that is read once, and has been."""
    connection.execute(checkpoint.delete().where(checkpoint.c.stream == stream.id))


def begin_run(connection: Connection, dialect: Dialect, stamp: Stamp) -> None:
    """Note that the run is at work; a resumed run goes on in its row."""
    row = {"run_id": stamp.run_id, "started_at": stamp.at, "state": "running"}
    again = {"state": "running", "finished_at": None}
    insert = dialect.upsert(run, [run.c.run_id], also=again)
    connection.execute(insert.values(row | _named(stamp.stream)))


def end_run(connection: Connection, stamp: Stamp, report: RunReport) -> None:
    """Keep the run's report."""
    values = {
        "state": report.state,
        "finished_at": stamp.at,
        "report": json.dumps(report.model_dump(mode="json")),
    }
    connection.execute(run.update().where(run.c.run_id == stamp.run_id).values(values))


def last_runs(connection: Connection, stream: Stream, limit: int) -> list[dict[str, Any]]:
    """Return the latest runs, newest first: the report, and id, state and times beside it."""
    query = select(run).where(run.c.stream == stream.id)
    newest = query.order_by(run.c.started_at.desc(), run.c.run_id).limit(limit)
    return [
        {
            **(_read(row.report) or {"integration": row.integration}),
            "run_id": row.run_id,
            "state": row.state,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
        }
        for row in connection.execute(newest)
    ]


def _named(stream: Stream) -> dict[str, str]:
    return {"stream": stream.id, "integration": stream.integration}


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
