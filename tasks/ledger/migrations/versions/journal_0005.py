"""The journal of what is sent to APIs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TABLE = "_astrio_sent"


def upgrade() -> None:
    """Create the table; the partial index holds only what is on its way."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("occurrence", sa.Integer, nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("returned", sa.LargeBinary),
        sa.Column("sends", sa.Integer, nullable=False),
        sa.Column("pending", sa.Text),
        sa.Column("pending_version", sa.Text),
        sa.Column("token", sa.Text),
        sa.Column("request", sa.Text),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("unknown", sa.Integer, nullable=False),
        sa.Column("met", sa.Integer, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        comment="What each record was last sent as, and what is on its way: no content, only "
        "hashes.",
    )
    op.create_index("_astrio_sent_identity", _TABLE, ["stream", "identity"])
    pending = sa.text("pending IS NOT NULL")
    op.create_index(
        "_astrio_sent_pending",
        _TABLE,
        ["stream"],
        sqlite_where=pending,
        postgresql_where=pending,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(_TABLE)
