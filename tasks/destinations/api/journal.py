"""The journal of one stream in the ledger: an intent before each request, its outcome after.

Each method but those that take a connection is one short transaction of its own, so that nobody
waits for the ledger while a request is on its way.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from astrio.tasks.destinations.api.held import APART, Held
from astrio.tasks.ledger.journal_tables import journal
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer

_PORTION: Final = 500
_NAMES: Final = tuple(field.name for field in fields(Held))
_table: Final = journal.c


class Journal:
    """What was sent of one stream."""

    def __init__(self, ledger: Ledger, stream: str) -> None:
        """Take the ledger and the stream's id.

        Raises:
            ConfigurationError: the ledger's key cannot be used.
        """
        self._ledger = ledger
        self._stream = stream
        self._sealer = BytesSealer("journal")

    def find(self, identities: Iterable[str]) -> list[Held]:
        """Return the rows of these records."""
        with self._ledger.reading() as connection:
            return self.found(connection, identities)

    def found(self, connection: Connection, identities: Iterable[str]) -> list[Held]:
        """Return the rows of these records, within the caller's transaction."""
        wanted = list(dict.fromkeys(identities))
        columns = [_table[name] for name in _NAMES]
        rows: list[Held] = []
        for start in range(0, len(wanted), _PORTION):
            portion = wanted[start : start + _PORTION]
            mine = (_table.stream == self._stream, _table.identity.in_(portion))
            query = select(*columns).where(*mine).order_by(_table.identity, _table.occurrence)
            rows += (self._held(row._asdict()) for row in connection.execute(query))
        return rows

    def keep(self, rows: Sequence[dict[str, Any]]) -> None:
        """Put rows (`row_of`) in, or in the place of what was there."""
        new = (*_NAMES, "changed_at")
        upsert = self._ledger.database.dialect.upsert(journal, [_table.id], new)
        with self._ledger.writing() as connection:
            connection.execute(upsert, list(rows))

    def row_of(self, held: Held) -> dict[str, Any]:
        """Return a row as the table takes it."""
        row: dict[str, Any] = {name: getattr(held, name) for name in _NAMES}
        sealed = None
        if held.returned is not None:
            sealed = self._sealer.seal(msgspec.json.encode(held.returned), held.id.encode())
        row |= {"returned": sealed, "unknown": int(held.unknown), "met": int(held.met)}
        return row | {"stream": self._stream, "changed_at": time.time()}

    def pass_by(self, connection: Connection, rows: Iterable[Held], run: str) -> None:
        """Note that the reading is past these records, within the transaction that makes it so."""
        mine = journal.update().where(_table.id == bindparam("of"))
        passed = [{"of": held.id} for held in rows]
        if passed:
            connection.execute(mine.values(met=1, run=run), passed)

    def drop(self, connection: Connection, rows: Iterable[Held]) -> None:
        """Forget rows."""
        gone = [{"of": held.id} for held in rows]
        if gone:
            connection.execute(journal.delete().where(_table.id == bindparam("of")), gone)

    def read_again(self) -> None:
        """Note that the reading begins at the source's start."""
        mine = journal.update().where(_table.stream == self._stream, _table.met == 1)
        with self._ledger.writing() as connection:
            connection.execute(mine.values(met=0))

    def close_run(self, connection: Connection, *, run: str | None) -> None:
        """Forget what was sent once for a run that has ended; what is unknown stays, apart.

        Args:
            connection: in the transaction that ends the run.
            run: only what this run has sent; None: whatever belongs to the source's reading.
        """
        part = _table.occurrence != APART if run is None else _table.run == run
        mine = (_table.stream == self._stream, part)
        connection.execute(journal.delete().where(*mine, _table.pending.is_(None)))
        connection.execute(journal.update().where(*mine).values(occurrence=APART))

    def forgotten(self) -> int:
        """Return how many requests an interrupted run has left that no run has met again."""
        mine = (_table.stream == self._stream, _table.pending.is_not(None), _table.unknown == 0)
        query = select(func.count()).select_from(journal).where(*mine)
        with self._ledger.reading() as connection:
            return connection.execute(query).scalar_one()

    def _held(self, row: dict[str, Any]) -> Held:
        sealed = row["returned"]
        if sealed is not None:
            row["returned"] = msgspec.json.decode(self._sealer.unseal(sealed, row["id"].encode()))
        row["unknown"], row["met"] = bool(row["unknown"]), bool(row["met"])
        return Held(**row)
