"""The ledger's tables as the latest migration leaves them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Double, Integer, MetaData, Table, Text

REVISION: Final = "0002"
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
