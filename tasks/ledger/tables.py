"""The ledger's tables as the latest migration leaves them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

REVISION: Final = "0005"
VERSION_TABLE: Final = "_astrio_ledger_version"
metadata = MetaData()

stream = Table(
    "_astrio_stream",
    metadata,
    Column("integration", Text, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("file", Text),
    Column("cwd", Text, nullable=False),
    Column("last_run_at", Text, nullable=False),
    Column("last_state", Text, nullable=False),
    comment="Which streams there are, and where their state lives.",
)

token = Table(
    "_astrio_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("sealed", Text),
    Column("reason", Text, nullable=False),
    Column("renewed_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("holder", Text),
    Column("at_risk", Integer, nullable=False),
    Column("host", Text),
    Column("pid", Integer),
    Column("machine", Text),
    Column("process_start", Text),
    Column("held_until", Double, nullable=False),
    Column("paused", Text, nullable=False),
    comment="Tokens of connections, encrypted; who renews one, and which need somebody to agree.",
)

limit = Table(
    "_astrio_limit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("free_at", Double, nullable=False),
    Column("blocked_until", Double, nullable=False),
    comment="When the next request of each credential may be sent, epoch seconds.",
)

event = Table(
    "_astrio_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("delivery_id", Text),
    Column("state", Text, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("due_at", Double),
    Column("attempts", Integer, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("holder", Text),
    Column("flow_run", Text),
    Column("done_by", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed", LargeBinary),
    Index("_astrio_event_identity", "source", "identity", unique=True),
    Index(
        "_astrio_event_due",
        "source",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "_astrio_event_dead",
        "source",
        sqlite_where=text("state = 'dead'"),
        postgresql_where=text("state = 'dead'"),
    ),
    comment="The inbox: every accepted webhook, its body encrypted, and what became of it.",
)
