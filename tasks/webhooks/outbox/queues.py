"""The queue that a database bears."""

from __future__ import annotations

from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.webhooks.outbox.queue import Queue


def queue_of(dialect: Dialect) -> Queue:
    """Return the queue for a ledger's database."""
    if dialect.concurrent:
        from astrio.tasks.webhooks.outbox.queue_postgresql import PostgresqlQueue

        return PostgresqlQueue()
    from astrio.tasks.webhooks.outbox.queue_sqlite import SqliteQueue

    return SqliteQueue()
