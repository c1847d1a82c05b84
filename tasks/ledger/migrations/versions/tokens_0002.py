"""Tokens of connections, and the limits of credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "_astrio_token",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("renewed_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("holder", sa.Text),
        sa.Column("at_risk", sa.Integer, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("machine", sa.Text),
        sa.Column("process_start", sa.Text),
        sa.Column("held_until", sa.Double, nullable=False),
        sa.Column("paused", sa.Text, nullable=False),
        comment="Tokens of connections, encrypted; who renews one, and which need somebody to "
        "agree.",
    )
    op.create_table(
        "_astrio_limit",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("free_at", sa.Double, nullable=False),
        sa.Column("blocked_until", sa.Double, nullable=False),
        comment="When the next request of each credential may be sent, epoch seconds.",
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("_astrio_limit")
    op.drop_table("_astrio_token")
