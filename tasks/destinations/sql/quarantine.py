"""The quarantine: rejected records, kept with the rows until they are mended or discarded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, func, select, text

from astrio.tasks.batch import Reject
from astrio.tasks.destinations.quarantined import QuarantineRow
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import is_open, quarantine
from astrio.tasks.destinations.sql.values import as_text

_table: Final = quarantine.c
_LISTED: Final = (
    _table.id,
    _table.integration,
    _table.key,
    _table.field,
    _table.rule,
    _table.reason,
    _table.run,
    _table.first_seen,
    _table.seen,
    _table.state,
)
# A bound parameter would not match the index, nor go with many rows.
_LITERALLY_OPEN: Final = text("state = 'open'")
_LATEST: Final = (
    "content_hash",
    "field",
    "rule",
    "reason",
    "problems",
    "record",
    "run",
    "last_seen",
)


def key_text(key: Sequence[Any]) -> str:
    """Return a key as the quarantine shows it: a single value's text, or a JSON array."""
    value = key[0] if len(key) == 1 else list(key)
    try:
        shown = as_text(value)
    except (ValueError, TypeError, KeyError):
        shown = str(value)
    return _storable(shown or "")


def add(
    connection: Connection, dialect: Dialect, stamp: Stamp, rejects: Iterable[Reject]
) -> set[str]:
    """Keep rejects, one open row for each key or content, and return their identities."""
    rows = [_row(reject) for reject in rejects]
    if not rows:
        return set()
    arrival = {
        "stream": stamp.stream.id,
        "integration": stamp.stream.integration,
        "run": stamp.run_id,
        "first_seen": stamp.at,
        "last_seen": stamp.at,
        "seen": 1,
        "state": "open",
    }
    insert = dialect.insert(quarantine)
    again = {name: insert.excluded[name] for name in _LATEST} | {"seen": _table.seen + 1}
    upsert = insert.on_conflict_do_update(
        index_elements=[_table.stream, _table.identity], index_where=_LITERALLY_OPEN, set_=again
    )
    connection.execute(upsert, [arrival | row for row in rows])
    return {row["identity"] for row in rows}


def resolve(connection: Connection, stream: Stream, identities: Iterable[str]) -> None:
    """Close the open rows of records that have been written since."""
    mine = (_table.stream == stream.id, _table.identity == bindparam("written"), is_open)
    update = quarantine.update().where(*mine).values(state="resolved")
    rows = [{"written": identity} for identity in identities]
    if rows:
        connection.execute(update, rows)


def open_identities(connection: Connection, stream: Stream) -> set[str]:
    """Return keys (or content hashes) of the open rows."""
    query = select(_table.identity).where(_table.stream == stream.id, is_open)
    return set(connection.execute(query).scalars())


def count_open(connection: Connection, stream: Stream) -> int:
    """Return the number of open rows."""
    query = select(func.count()).select_from(quarantine)
    return connection.execute(query.where(_table.stream == stream.id, is_open)).scalar_one()


def listed(connection: Connection, stream: Stream, state: str | None) -> list[QuarantineRow]:
    """Return the stream's rows in the given state (None: all), oldest first."""
    query = select(*_LISTED).where(_table.stream == stream.id).order_by(_table.id)
    if state is not None:
        query = query.where(_table.state == state)
    return [QuarantineRow(**row) for row in connection.execute(query).mappings()]  # type: ignore[typeddict-item] # _LISTED names exactly its keys


def shown(connection: Connection, stream: Stream, number: int) -> dict[str, Any] | None:
    """Return one row with its source record and every problem, None if there is no such row."""
    query = select(*_LISTED, _table.problems, _table.record)
    mine = (_table.stream == stream.id, _table.id == number)
    row = connection.execute(query.where(*mine)).mappings().first()
    if row is None:
        return None
    documents = {name: json.loads(row[name]) for name in ("problems", "record")}
    return dict(row) | documents


def _row(reject: Reject) -> dict[str, Any]:
    problems = [
        {"field": each.field, "rule": each.rule, "reason": each.reason} for each in reject.problems
    ]
    content = sha256(_json(reject.record, sort_keys=True).encode()).hexdigest()
    key = None if reject.key is None or None in reject.key else key_text(reject.key)
    first = problems[0]
    return {
        "identity": f"sha256:{content}" if key is None else key,
        "key": key,
        "content_hash": content,
        "field": None if first["field"] is None else _storable(first["field"]),
        "rule": _storable(str(first["rule"])),
        "reason": _storable(str(first["reason"])),
        "problems": _json(problems),
        "record": _json(reject.record),
    }


def _json(value: Any, *, sort_keys: bool = False) -> str:
    # Plain ASCII: whatever is wrong with the record's texts, the quarantine can keep them.
    try:
        return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), default=_plain)
    except (RecursionError, ValueError):
        return json.dumps("(nested too deeply, or with numbers too long, to be kept)")


def _plain(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value)
    except TypeError:
        return str(value)


def _storable(text: str) -> str:
    """Return the text without the characters that databases refuse."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
