"""Deliveries that cannot be attempted: they are told why, and looked at again later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, literal_column, select

from astrio.tasks.ledger.outbox_tables import delivery
from astrio.tasks.webhooks.outbox.queue import State

AGAIN_AFTER: Final = 10.0
"""Seconds until a delivery that was held up is due again."""
GRACE: Final = 2.0
"""Seconds for which another deliverer, which may be able to, can take what is due."""
_AT_ONCE: Final = 500
_WORDS: Final = "Not sent: "


def hold_up(connection: Connection, reasons: Mapping[str, str], now: float) -> None:
    """Put the reason on what is due to targets that cannot be sent to; no attempt is counted.

    Args:
        connection: within a write transaction.
        reasons: why, by target.
        now: epoch seconds.
    """
    for target, reason in reasons.items():
        due = (
            select(delivery.c.number)
            .where(_PENDING, delivery.c.target == target, delivery.c.next_at <= now - GRACE)
            .order_by(delivery.c.next_at)
            .limit(_AT_ONCE)
        )
        numbers = connection.execute(due).scalars().all()
        if numbers:
            held = delivery.update().where(_PENDING, delivery.c.number.in_(numbers))
            later = {"next_at": now + AGAIN_AFTER, "delay": AGAIN_AFTER, "changed_at": now}
            connection.execute(held.values(error=f"{_WORDS}{reason}", **later))


def held_up(connection: Connection) -> dict[str, str]:
    """Return why nothing is sent to targets that have deliveries held up, by target."""
    query = (
        select(delivery.c.target, delivery.c.error)
        .where(_PENDING, delivery.c.error.startswith(_WORDS))
        .distinct()
        .order_by(delivery.c.target)
    )
    return {row.target: row.error for row in connection.execute(query)}


# Written out as the partial index is: SQLite uses it for no parameter.
_PENDING: Final = delivery.c.state == literal_column(f"'{State.PENDING}'")
