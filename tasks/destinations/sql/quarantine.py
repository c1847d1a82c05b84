"""The quarantine: rejected records, kept with the rows until they are mended or discarded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text

from astrio.tasks.batch import Reject
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.kept import sealed
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import is_open, quarantine
from astrio.tasks.destinations.sql.values import as_text
from astrio.tasks.ledger.sealing import Keys, keys_in_effect

_table: Final = quarantine.c
# A bound parameter would not match the index, nor go with many rows.
_LITERALLY_OPEN: Final = text("state = 'open'")
_AT_ONCE: Final = 500
_LATEST: Final = (
    "content_hash",
    "field",
    "rule",
    "reason",
    "problems",
    "record",
    "mapping",
    "started",
    "run",
    "last_seen",
)


class Added(NamedTuple):
    """What was put into the quarantine: who, and how many without their record."""

    identities: set[str]
    lost: int


def key_text(key: Sequence[Any]) -> str:
    """Return a key as the quarantine shows it: a single value's text, or a JSON array."""
    value = key[0] if len(key) == 1 else list(key)
    try:
        shown = as_text(value)
    except (ValueError, TypeError, KeyError):
        shown = str(value)
    return _storable(shown or "")


def add(connection: Connection, dialect: Dialect, stamp: Stamp, rejects: Iterable[Reject]) -> Added:
    """Keep rejects, one open row for each key or content.

    Raises:
        ConfigurationError: there is no usable key to encrypt them with.
    """
    rejects = list(rejects)
    if not rejects:
        return Added(set(), 0)
    keys = keys_in_effect()
    most = dialect.longest_value(connection)
    rows, whole = zip(*(row_of(reject, keys, most) for reject in rejects), strict=True)
    arrival = {
        "stream": stamp.stream.whole.id,
        "integration": stamp.stream.integration,
        "mapping": stamp.mapping,
        "started": stamp.started,
        "run": stamp.run_id,
        "first_seen": stamp.at,
        "last_seen": stamp.at,
        "seen": 1,
        "state": "open",
    }
    arrivals = [arrival | row for row in rows]
    if dialect.partial_indexes:
        same, again = [_table.stream, _table.identity], {"seen": _table.seen + 1}
        upsert = dialect.upsert(quarantine, same, _LATEST, also=again, among=_LITERALLY_OPEN)
        connection.execute(upsert, arrivals)
    else:
        _renew_or_insert(connection, arrivals)
    return Added({row["identity"] for row in rows}, whole.count(False))


def _renew_or_insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Do as the upsert does, by looking first: the lease keeps other writers of the stream away."""
    last = {row["identity"]: row for row in rows}
    seen = Counter(row["identity"] for row in rows)
    known = _open_among(connection, rows[0]["stream"], list(last))
    new = [row | {"seen": seen[each]} for each, row in last.items() if each not in known]
    if new:
        connection.execute(quarantine.insert(), new)
    again: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _LATEST}
    again |= {"seen": _table.seen + bindparam("more")}
    update = quarantine.update().where(_table.id == bindparam("row")).values(again)
    renewed = [
        {f"new_{name}": last[each][name] for name in _LATEST} | {"row": row, "more": seen[each]}
        for each, row in known.items()
    ]
    if renewed:
        connection.execute(update, renewed)


def _open_among(connection: Connection, stream: str, identities: Sequence[str]) -> dict[str, int]:
    """Return the ids of the open rows with those identities."""
    found: dict[str, int] = {}
    for start in range(0, len(identities), _AT_ONCE):
        wanted = _table.identity.in_(identities[start : start + _AT_ONCE])
        query = select(_table.identity, _table.id).where(_table.stream == stream, wanted, is_open)
        found.update((row.identity, row.id) for row in connection.execute(query))
    return found


def resolve(connection: Connection, stamp: Stamp, identities: Iterable[str]) -> None:
    """Close the open rows of records that have been written since."""
    mine = (
        _table.stream == stamp.stream.whole.id,
        _table.identity == bindparam("written"),
        is_open,
    )
    update = quarantine.update().where(*mine).values(state="resolved", closed_at=stamp.at)
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


def row_of(reject: Reject, keys: Keys, most: int | None = None) -> tuple[dict[str, Any], bool]:
    """Return what a reject's row holds of it, and whether its record could be kept."""
    kept = sealed(keys, reject, most)
    key = None if reject.key is None or None in reject.key else key_text(reject.key)
    first = reject.problems[0]
    row = {
        "identity": f"hmac:{kept.digest}" if key is None else key,
        "key": key,
        "content_hash": kept.digest,
        "field": None if first.field is None else _storable(first.field),
        "rule": _storable(str(first.rule)),
        "reason": _storable(str(first.reason)),
        "problems": "",
        "record": kept.content,
    }
    return row, kept.whole


def _storable(text: str) -> str:
    """Return the text without the characters that databases refuse."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
