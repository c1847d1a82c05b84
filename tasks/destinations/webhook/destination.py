"""Pushing to a webhook: records become events in the outbox, each content once.

The state of the stream lives in the ledger, and commits with the events.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.batch import Batch, Problem
from astrio.tasks.destinations.base import RunIdentity, StreamState, Written
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import RULE, Rows, by_shape
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.targets.webhook import WebhookDestination
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import event as table
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.report import TableChanges
from astrio.tasks.webhooks.outbox.event import PURPOSE, encoded, new_id
from astrio.tasks.webhooks.outbox.targets import register
from astrio.tasks.webhooks.outbox.trigger import nested

_PORTION: Final = 500


class OutboxDestination(SqlDestination):
    """One stream's events on their way to a webhook."""

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        **replaced: Any,
    ) -> None:
        """Take the settings; nothing is connected before `open`.

        Raises:
            ConfigurationError: a variable is not set, or the ledger's URL is none.
        """
        super().__init__(push, integration, keeping, **replaced)
        assert isinstance(push.to, WebhookDestination)
        self._target = push.to.named(integration)
        self._writer: Any = EventWriter(push, integration, self._target[0], self._dialect)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Register the target, then open the stream's state in the ledger."""
        ledger = Ledger()
        with ledger.writing() as connection:
            register(connection, ledger.database.dialect, *self._target, time.time())
        return super().open(run, wait=wait)


class EventWriter:
    """Writes rows as events, in the place of a table's writer.

    Attributes:
        fields: none: there is no table whose columns they would be.
    """

    fields: Sequence[str] = ()

    def __init__(self, push: PushSettings, integration: str, target: str, dialect: Dialect) -> None:
        """Take the settings, what the events are called after, and where they go."""
        self._key = push.key
        self._name = integration
        self._target = target
        self._dialect = dialect
        self._sealer = BytesSealer(PURPOSE)

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice: there is nothing to prepare."""

    def write(
        self,
        connection: Connection,
        batches: Sequence[Batch],
        quarantined: set[str],
        changes: TableChanges | None = None,  # noqa: ARG002 (there is no table)
    ) -> tuple[Written, set[str]]:
        """Put rows into the outbox within the caller's transaction.

        Returns:
            What became of them, and which of the quarantined keys are written now.
        """
        written, mended = Written(), set[str]()
        for rows in by_shape(batches, self._key, ()):
            accepted = self._write(connection, rows, written)
            if quarantined and accepted.key:
                mended |= quarantined.intersection(map(key_text, accepted.keys()))
        return written, mended

    def _write(self, connection: Connection, rows: Rows, written: Written) -> Rows:
        events, refused = [], []
        for place, row in enumerate(rows.rows):
            try:
                events.append(self._event(nested(rows.fields, row)))
            except ConfigurationError as error:
                problem = Problem(None, RULE, error.message)
                written.failed.append(rows.reject(place, problem))
                refused.append(place)
        for start in range(0, len(events), _PORTION):
            portion = events[start : start + _PORTION]
            insert = self._dialect.insert(table).values(portion)
            once = insert.on_conflict_do_nothing(index_elements=["identity"])
            added = len(connection.execute(once.returning(table.c.id)).all())
            written.written += added
            written.unchanged += len(portion) - added
        return rows.without(refused)

    def _event(self, payload: dict[str, Any]) -> dict[str, Any]:
        body = encoded(payload)
        of = f"{self._name} {self._target} ".encode()
        id_ = new_id()
        return {
            "id": id_,
            "name": self._name,
            "identity": f"push {sha256(of + body).hexdigest()}",
            "target": self._target,
            "state": "new",
            "created_at": time.time(),
            "size": len(body),
            "sealed": self._sealer.seal(body, id_.encode()),
        }
