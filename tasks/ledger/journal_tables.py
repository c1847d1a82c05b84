"""The journal of what is sent to APIs, as the latest migration leaves it."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text, text

from astrio.tasks.ledger.tables import metadata

journal = Table(
    "_astrio_sent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("content", Text),
    Column("version", Text),
    Column("returned", LargeBinary),
    Column("sends", Integer, nullable=False),
    Column("pending", Text),
    Column("pending_version", Text),
    Column("token", Text),
    Column("request", Text),
    Column("members", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("met", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
    Index("_astrio_sent_identity", "stream", "identity"),
    Index(
        "_astrio_sent_pending",
        "stream",
        sqlite_where=text("pending IS NOT NULL"),
        postgresql_where=text("pending IS NOT NULL"),
    ),
    comment="What each record was last sent as, and what is on its way: no content, only hashes.",
)
