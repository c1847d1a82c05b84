"""How targets fare, as the ledger keeps it: failures, breakers, warnings, disabling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, case, func

from astrio.tasks.ledger.outbox_tables import target as table
from astrio.tasks.webhooks.outbox.targets import (
    DISABLE_AFTER,
    WARN_AT,
    TargetRow,
    disable,
    read_targets,
)

_DAY: Final = 86400.0


@dataclass(slots=True)
class Health:
    """What has become of one target's attempts since it was last written down.

    Attributes:
        breaker: as it is now.
        succeeded: whether there was a success.
        failures: failures since the last success.
        failed_at: when the first of them was, epoch seconds.
        gone: the receiver wants nothing any more.
    """

    breaker: str = "closed"
    succeeded: bool = False
    failures: int = 0
    failed_at: float | None = None
    gone: bool = False

    def note(self, *, delivered: bool, gone: bool, at: float) -> None:
        """Count an attempt."""
        if delivered:
            self.succeeded, self.failures, self.failed_at = True, 0, None
            return
        self.failures += 1
        self.failed_at = at if self.failed_at is None else self.failed_at
        self.gone = self.gone or gone

    def then(self, later: Health) -> Health:
        """Return both as one."""
        if later.succeeded:
            return later
        failed_at = later.failed_at if self.failed_at is None else self.failed_at
        failures = self.failures + later.failures
        gone = self.gone or later.gone
        return Health(later.breaker, self.succeeded, failures, failed_at, gone)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people should hear of.

    Attributes:
        kind: `warning`, `disabled` or `dead`.
        target: whose.
        text: one sentence.
        deliveries: ids of the deliveries concerned.
    """

    kind: str
    target: str
    text: str
    deliveries: tuple[str, ...] = field(default=())


def write_health(connection: Connection, noted: Mapping[str, Health], now: float) -> list[Notice]:
    """Write down how targets fare; return what people should hear of."""
    for name, health in sorted(noted.items()):
        since = func.coalesce(table.c.failing_since, health.failed_at)
        values = {
            "breaker": health.breaker,
            "failures": health.failures if health.succeeded else table.c.failures + health.failures,
            "failing_since": health.failed_at if health.succeeded else since,
            "warned": 0 if health.succeeded else table.c.warned,
        }
        connection.execute(table.update().where(table.c.id == name).values(**values))
    ailing = [name for name, health in noted.items() if health.failures]
    rows = read_targets(connection, ailing) if ailing else []
    told = (_judged(connection, row, noted[row.id], now) for row in rows if not row.disabled)
    return [notice for notice in told if notice is not None]


def _judged(connection: Connection, row: TargetRow, health: Health, now: float) -> Notice | None:
    if health.gone:
        reason = "The receiver answered 410 Gone."
        return _disabled(connection, row.id, reason, now)
    failing = now - row.failing_since if row.failing_since is not None else 0.0
    if failing >= DISABLE_AFTER:
        reason = f"There were nothing but failures for {DISABLE_AFTER / _DAY:g} days."
        return _disabled(connection, row.id, reason, now)
    due = sum(failing >= DISABLE_AFTER * share for share in WARN_AT)
    if due <= row.warned:
        return None
    warned = case((table.c.warned < due, due), else_=table.c.warned)
    connection.execute(table.update().where(table.c.id == row.id).values(warned=warned))
    left = (DISABLE_AFTER - failing) / _DAY
    text = f"Every delivery to {row.id} has failed for {failing / _DAY:.1f} days; it is disabled "
    return Notice("warning", row.id, text + f"after another {left:.1f}.")


def _disabled(connection: Connection, name: str, reason: str, now: float) -> Notice | None:
    if not disable(connection, name, reason, now):
        return None
    text = f"{name} is disabled and keeps its events. {reason} `astrio deliveries enable {name}`"
    return Notice("disabled", name, text + " sends to it again.")
