"""What becomes of quarantined records that are replayed: each row is closed, or renewed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam

from astrio.blocks.errors import FatalError
from astrio.tasks.batch import Batch, Reject
from astrio.tasks.destinations.sql.quarantine import row_of
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.tables import is_open, quarantine
from astrio.tasks.ledger.sealing import keys_in_effect
from astrio.tasks.replayed import ReplayedPage, Stored

_RENEWED: Final = (
    "identity",
    "key",
    "content_hash",
    "field",
    "rule",
    "reason",
    "problems",
    "record",
    "mapping",
)


def replayed(batches: Sequence[Batch]) -> list[Stored]:
    """Return the quarantined records among those of the batches; a replay has no others."""
    return [
        stored
        for batch in batches
        if isinstance(batch.page, ReplayedPage)
        for stored in batch.page.stored
    ]


def settle(
    connection: Connection,
    stamp: Stamp,
    stored: Sequence[Stored],
    rejects: Iterable[Reject],
    identities: set[str],
) -> tuple[set[str], set[str]]:
    """Close the rows of those that are no rejects, renew the reasons of the others.

    A row that was told by its content is told by its key once that is known, unless another has
    the same. Neither `seen` nor the times change: a replay is no arrival.

    Args:
        connection: in the transaction that writes the records.
        stamp: the replay.
        stored: the replayed records.
        rejects: those that were rejected again.
        identities: of all open rows of the stream.

    Returns:
        Which identities have left the quarantine, and which have come in their place.

    Raises:
        FatalError: a reject is none of the replayed records.
    """
    left = {each.id: each for each in stored}
    again: list[dict[str, Any]] = []
    taken, gone = set(identities), set[str]()
    for each, reject in _paired(stored, rejects):
        del left[each.id]
        row = _renewed(each, reject, stamp, taken)
        if row["new_identity"] != each.identity:
            gone.add(each.identity)
        taken.add(row["new_identity"])
        again.append(row)
    close(connection, stamp, left)
    _renew(connection, again)
    gone |= {each.identity for each in left.values()}
    return gone, {row["new_identity"] for row in again}


def _paired(stored: Sequence[Stored], rejects: Iterable[Reject]) -> Iterable[tuple[Stored, Reject]]:
    # By the object, not by its content: two rows may hold equal records.
    rows: dict[int, list[Stored]] = {}
    for each in stored:
        rows.setdefault(id(each.record), []).append(each)
    for reject in rejects:
        found = rows.get(id(reject.record))
        if not found:
            raise FatalError(
                "A rejected record is none of those that are replayed.",
                advice="Please report this: it is a fault of astrio. Nothing was written.",
            )
        yield found.pop(), reject


def _renewed(stored: Stored, reject: Reject, stamp: Stamp, taken: set[str]) -> dict[str, Any]:
    row, _ = row_of(reject, keys_in_effect())
    identity = row["identity"]
    if stored.has_key or row["key"] is None or identity in taken:
        identity = stored.identity
        row["key"] = stored.identity if stored.has_key else None
    row |= {"identity": identity, "mapping": stamp.mapping}
    return {"row": stored.id} | {f"new_{name}": row[name] for name in _RENEWED}


def close(connection: Connection, stamp: Stamp, rows: Iterable[int]) -> None:
    """Close the open rows of these ids: their records are written."""
    mine = (quarantine.c.id == bindparam("row"), is_open)
    update = quarantine.update().where(*mine).values(state="resolved", closed_at=stamp.at)
    closing = [{"row": row} for row in rows]
    if closing:
        connection.execute(update, closing)


def _renew(connection: Connection, rows: list[dict[str, Any]]) -> None:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _RENEWED}
    update = quarantine.update().where(quarantine.c.id == bindparam("row"), is_open)
    if rows:
        connection.execute(update.values(values), rows)
