"""Alembic's environment: migrations run within the caller's transaction."""

from __future__ import annotations

from alembic import context

from astrio.tasks.ledger.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
