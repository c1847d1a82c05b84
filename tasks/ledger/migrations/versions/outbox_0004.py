"""The outbox of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_EVENT = "_astrio_outbox"
_DELIVERY = "_astrio_delivery"
_ATTEMPT = "_astrio_attempt"
_TARGET = "_astrio_target"
_TRIGGER = "_astrio_trigger"
_DELIVERER = "_astrio_deliverer"


def upgrade() -> None:
    """Create the tables; the partial indexes hold only what waits for somebody."""
    _create_events()
    _create_deliveries()
    _create_attempts()
    _create_targets()


def downgrade() -> None:
    """Drop the tables."""
    for name in (_DELIVERER, _TRIGGER, _TARGET, _ATTEMPT, _DELIVERY, _EVENT):
        op.drop_table(name)


def _number() -> sa.Column[int]:
    # SQLite counts up only a column that is declared INTEGER.
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("number", kind, primary_key=True, autoincrement=True)


def _create_events() -> None:
    op.create_table(
        _EVENT,
        _number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, unique=True),
        sa.Column("target", sa.Text),
        sa.Column("order_key", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        comment="The outbox: every event that was emitted, its payload encrypted.",
    )
    _create_index(_EVENT, "new", ["number"], "state = 'new'")
    op.create_index(f"{_EVENT}_age", _EVENT, ["created_at"])


def _create_deliveries() -> None:
    op.create_table(
        _DELIVERY,
        _number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("event_number", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("order_key", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried", sa.Integer, nullable=False),
        sa.Column("replays", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("delay", sa.Double, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        comment="Each event on its way to each target, and how far it has come.",
    )
    _create_index(_DELIVERY, "due", ["target", "next_at"], "state = 'pending'")
    _create_index(_DELIVERY, "held", ["holder"], "holder IS NOT NULL")
    _create_index(
        _DELIVERY,
        "order",
        ["target", "order_key", "number"],
        "order_key IS NOT NULL AND state IN ('waiting', 'pending', 'claimed')",
    )
    _create_index(_DELIVERY, "dead", ["target", "number"], "state = 'dead'")
    op.create_index(f"{_DELIVERY}_event", _DELIVERY, ["event_number"])
    op.create_index(f"{_DELIVERY}_age", _DELIVERY, ["changed_at"])


def _create_attempts() -> None:
    op.create_table(
        _ATTEMPT,
        _number(),
        sa.Column("delivery", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("ms", sa.Integer, nullable=False),
        sa.Column("delivered", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("excerpt", sa.LargeBinary),
        comment="Each attempt at a delivery: what was answered, and how long it took.",
    )
    op.create_index(f"{_ATTEMPT}_delivery", _ATTEMPT, ["delivery"])
    op.create_index(f"{_ATTEMPT}_age", _ATTEMPT, ["at"])


def _create_targets() -> None:
    op.create_table(
        _TARGET,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("disabled", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.Double),
        sa.Column("breaker", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.Double),
        sa.Column("warned", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        comment="Where events go, without secrets in clear, and how it fares.",
    )
    op.create_table(
        _TRIGGER,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("file", sa.Text),
        comment="Which events go to which targets.",
    )
    op.create_table(
        _DELIVERER,
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("machine", sa.Text),
        sa.Column("process_start", sa.Text),
        comment="The deliverers at work; one whose beat stands still has lost what it holds.",
    )


def _create_index(table: str, name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"{table}_{name}", table, columns, sqlite_where=condition, postgresql_where=condition
    )
