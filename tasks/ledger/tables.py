"""The ledger's tables as the latest migration leaves them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, MetaData, Table, Text

REVISION: Final = "0001"
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
