"""The outbox's tables as the latest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from astrio.tasks.ledger.tables import metadata

SCHEMA = "astrio"


def _number() -> Column[int]:
    # SQLite counts up only a column that is declared INTEGER.
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("number", kind, primary_key=True, autoincrement=True)


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


event = Table(
    "_astrio_outbox",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("identity", Text, unique=True),
    Column("target", Text),
    Column("order_key", Text),
    Column("state", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    _partial("_astrio_outbox_new", "number", where="state = 'new'"),
    Index("_astrio_outbox_age", "created_at"),
    comment="The outbox: every event that was emitted, its payload encrypted.",
)

delivery = Table(
    "_astrio_delivery",
    metadata,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("event_number", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("order_key", Text),
    Column("state", Text, nullable=False),
    Column("made", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried", Integer, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("delay", Double, nullable=False),
    Column("holder", Text),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    Column("sealed", LargeBinary),
    _partial("_astrio_delivery_due", "target", "next_at", where="state = 'pending'"),
    _partial("_astrio_delivery_held", "holder", where="holder IS NOT NULL"),
    _partial(
        "_astrio_delivery_order",
        "target",
        "order_key",
        "number",
        where="order_key IS NOT NULL AND state IN ('waiting', 'pending', 'claimed')",
    ),
    _partial("_astrio_delivery_dead", "target", "number", where="state = 'dead'"),
    Index("_astrio_delivery_event", "event_number"),
    Index("_astrio_delivery_age", "changed_at"),
    comment="Each event on its way to each target, and how far it has come.",
)

attempt = Table(
    "_astrio_attempt",
    metadata,
    _number(),
    Column("delivery", BigInteger, nullable=False),
    Column("target", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    Column("excerpt", LargeBinary),
    Index("_astrio_attempt_delivery", "delivery"),
    Index("_astrio_attempt_age", "at"),
    comment="Each attempt at a delivery: what was answered, and how long it took.",
)

target = Table(
    "_astrio_target",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("secrets", LargeBinary),
    Column("disabled", Text, nullable=False),
    Column("disabled_at", Double),
    Column("breaker", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Double),
    Column("warned", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    comment="Where events go, without secrets in clear, and how it fares.",
)

trigger = Table(
    "_astrio_trigger",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("file", Text),
    comment="Which events go to which targets.",
)

deliverer = Table(
    "_astrio_deliverer",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("host", Text),
    Column("pid", Integer),
    Column("machine", Text),
    Column("process_start", Text),
    comment="The deliverers at work; one whose beat stands still has lost what it holds.",
)
