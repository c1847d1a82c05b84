"""Pushing to another integration: records wait in the inbox, and commit with the stream's state."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from astrio.tasks.batch import Batch, Problem
from astrio.tasks.destinations.base import RunIdentity, StreamState, Written
from astrio.tasks.destinations.handing.portions import Cut, Portion
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import RULE
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.targets.integration import IntegrationTarget
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.ledger.tables import event as table
from astrio.tasks.report import TableChanges
from astrio.tasks.webhooks.inbox.appending import PURPOSE
from astrio.tasks.webhooks.inbox.event import Arrival, State, sealed
from astrio.tasks.webhooks.inbox.handing import edge
from astrio.tasks.webhooks.outbox.trigger import nested

_SIZE: Final = 500
_HEADERS: Final = ((b"content-type", b"application/json"),)


class HandingDestination(SqlDestination):
    """One stream's records on their way to another integration.

    Each portion is handed over once, whatever ends the run: its name stays until the source has
    been read to its end.
    """

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        **replaced: Any,
    ) -> None:
        """Take the settings; raises ConfigurationError if the ledger's URL is none."""
        super().__init__(push, integration, keeping, **replaced)
        assert isinstance(push.to, IntegrationTarget)
        self._handing = HandingWriter(
            edge(integration, push.to.integration), push.key, self._stream.id, self._dialect
        )
        self._writer: Any = self._handing

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Make the ledger if it is missing, then open the stream's state in it."""
        with Ledger().writing():
            pass
        return super().open(run, wait=wait)

    def _take(self, connection: Connection) -> StreamState:
        state = super()._take(connection)
        self._handing.ended = state.ended
        return state


class HandingWriter:
    """Writes rows as events of the inbox, in the place of a table's writer.

    Attributes:
        ended: the latest run that read the source to its end, once the stream is open.
        fields: none: there is no table whose columns they would be.
    """

    fields: Sequence[str] = ()

    def __init__(self, source: str, key: tuple[str, ...], stream: str, dialect: Dialect) -> None:
        """Take the name under which the records wait, their key, the stream and its database."""
        self._source = source
        self._key = key
        self._stream = stream
        self._dialect = dialect
        self._sealer = BytesSealer(PURPOSE)
        self.ended: str | None = None

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice: there is nothing to prepare."""

    def write(
        self,
        connection: Connection,
        batches: Sequence[Batch],
        quarantined: set[str],
        changes: TableChanges | None = None,  # noqa: ARG002 (there is no table)
    ) -> tuple[Written, set[str]]:
        """Put rows into the inbox within the caller's transaction.

        Returns:
            What became of them, and which of the quarantined keys are handed over now.
        """
        written, mended = Written(), set[str]()
        for portion in Cut(self._stream, self.ended, self._key, _SIZE)(batches):
            bodies = self._bodies(portion, written)
            rows = portion.rows.without([at for at, each in enumerate(bodies) if each is None])
            if not rows.rows:
                continue
            if self._is_added(connection, portion.id, [each for each in bodies if each]):
                written.written += len(rows.rows)
            else:
                written.unchanged += len(rows.rows)
            if quarantined and rows.key:
                mended |= quarantined.intersection(map(key_text, rows.keys()))
        return written, mended

    def _bodies(self, portion: Portion, written: Written) -> list[bytes | None]:
        bodies: list[bytes | None] = []
        for at, row in enumerate(portion.rows.rows):
            try:
                bodies.append(msgspec.json.encode(nested(portion.rows.fields, row)))
            except (TypeError, ValueError, RecursionError) as error:
                problem = Problem(None, RULE, f"the record cannot be written as JSON: {error}")
                written.failed.append(portion.rows.reject(at, problem))
                bodies.append(None)
        return bodies

    def _is_added(self, connection: Connection, name: str, bodies: Sequence[bytes]) -> bool:
        """Put a portion into the inbox; False: it is there already."""
        at, body = time.time(), b"[" + b",".join(bodies) + b"]"
        id_ = f"{time.time_ns():016x}{os.urandom(8).hex()}"
        row = {
            "id": id_,
            "source": self._source,
            "identity": name,
            "state": State.RECEIVED,
            "received_at": at,
            "changed_at": at,
            "due_at": at,
            "attempts": 0,
            "replays": 0,
            "done_by": "",
            "error": "",
            "size": len(body),
            "sealed": sealed(self._sealer, id_, Arrival(self._source, None, _HEADERS, body, at)),
        }
        insert = self._dialect.insert(table).values(row)
        once = insert.on_conflict_do_nothing(index_elements=["source", "identity"])
        return connection.execute(once.returning(table.c.id)).first() is not None
