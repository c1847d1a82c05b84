"""The index of streams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the index."""
    op.create_table(
        "_astrio_stream",
        sa.Column("integration", sa.Text, primary_key=True),
        sa.Column("destination", sa.Text, primary_key=True),
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("file", sa.Text),
        sa.Column("cwd", sa.Text, nullable=False),
        sa.Column("last_run_at", sa.Text, nullable=False),
        sa.Column("last_state", sa.Text, nullable=False),
        comment="Which streams there are, and where their state lives.",
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_table("_astrio_stream")
