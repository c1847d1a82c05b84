"""The inbox of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_NAME = "_astrio_event"


def upgrade() -> None:
    """Create the inbox; its partial indexes hold only what waits, and what is dead."""
    op.create_table(
        _NAME,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("replays", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("flow_run", sa.Text),
        sa.Column("done_by", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        comment="The inbox: every accepted webhook, its body encrypted, and what became of it.",
    )
    op.create_index(f"{_NAME}_identity", _NAME, ["source", "identity"], unique=True)
    _create_index("due", ["source", "due_at"], "due_at IS NOT NULL")
    _create_index("dead", ["source"], "state = 'dead'")


def downgrade() -> None:
    """Drop the inbox."""
    op.drop_table(_NAME)


def _create_index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"{_NAME}_{name}", _NAME, columns, sqlite_where=condition, postgresql_where=condition
    )
