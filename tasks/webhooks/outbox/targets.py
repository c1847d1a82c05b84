"""The targets that the ledger knows: where events go, and how each fares.

A target's settings are kept as the file has them: secrets are references, or are read from what
is saved under a name. A target that has no secret gets one from astrio, kept encrypted here.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.store import reader
from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.ledger.outbox_tables import target as table
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.outbox.event import PURPOSE

DISABLE_AFTER: Final = 5 * 86400.0  # seconds of nothing but failures
WARN_AT: Final = (0.5, 0.9)  # of them
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target as the ledger has it.

    Attributes:
        saved: the name it is saved under, if it is.
        settings: what is written out, if it is not saved.
        secrets: those that astrio made, sealed.
        disabled: why nothing is sent to it, empty if it is enabled.
        disabled_at: since when, epoch seconds.
        breaker: `closed` or `open`.
        failures: failures since the last success.
        failing_since: when the first of them was, epoch seconds.
        warned: how many warnings were given since.
    """

    id: str
    saved: str | None
    settings: Mapping[str, Any] | None
    secrets: bytes | None
    disabled: str
    disabled_at: float | None
    breaker: str
    failures: int
    failing_since: float | None
    warned: int

    def target(self) -> WebhookTarget:
        """Return its settings; what is saved is read from the Prefect server.

        Raises:
            AstrioError: what is saved is missing, or the server does not answer.
        """
        if self.saved is not None:
            return reader.connection(self.saved, WebhookTarget)
        return WebhookTarget.model_validate(self.settings)

    def own_secrets(self) -> tuple[str, ...]:
        """Return the secrets that astrio made, newest first.

        Raises:
            ConfigurationError: they were sealed with another key.
        """
        if self.secrets is None:
            return ()
        plain = BytesSealer(PURPOSE).unseal(self.secrets, self.id.encode())
        found = tuple(json.loads(plain))
        for each in found:
            remember(each)
        return found


def register(
    connection: Connection, dialect: Dialect, name: str, target: WebhookTarget | str, now: float
) -> None:
    """Put a target into the ledger, or renew its settings; how it fares stays as it is.

    Args:
        connection: within a write transaction.
        dialect: of the ledger.
        name: the target's id.
        target: its settings, or the name they are saved under.
        now: epoch seconds.
    """
    document = _document(target)
    values = {
        "id": name,
        "document": document,
        "secrets": _sealed(name, [new_secret()]),
        "disabled": "",
        "breaker": "closed",
        "failures": 0,
        "warned": 0,
        "created_at": now,
    }
    insert = dialect.insert(table).values(values)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={"document": document},
            where=table.c.document != document,
        )
    )


def _document(target: WebhookTarget | str) -> str:
    if isinstance(target, str):
        return json.dumps({"saved": target})
    settings = target.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps({"settings": settings}, sort_keys=True)


def read_targets(connection: Connection, names: Iterable[str] | None = None) -> list[TargetRow]:
    """Return the targets of these names, or all, by name."""
    query = select(table).order_by(table.c.id)
    if names is not None:
        query = query.where(table.c.id.in_(list(names)))
    return [_read(row) for row in connection.execute(query)]


def _read(row: Row[Any]) -> TargetRow:
    document = json.loads(row.document)
    return TargetRow(
        id=row.id,
        saved=document.get("saved"),
        settings=document.get("settings"),
        secrets=row.secrets,
        disabled=row.disabled,
        disabled_at=row.disabled_at,
        breaker=row.breaker,
        failures=row.failures,
        failing_since=row.failing_since,
        warned=row.warned,
    )


def disable(connection: Connection, name: str, reason: str, now: float) -> bool:
    """Send nothing more to a target; its events are kept. False: it was disabled before."""
    enabled = (table.c.id == name, table.c.disabled == "")
    changed = table.update().where(*enabled).values(disabled=reason, disabled_at=now)
    return connection.execute(changed).rowcount == 1


def enable(connection: Connection, name: str) -> None:
    """Send to a target again, as if it had never failed.

    Raises:
        ConfigurationError: there is no such target.
    """
    fresh = {"disabled": "", "disabled_at": None, "failures": 0, "failing_since": None, "warned": 0}
    if not connection.execute(table.update().where(table.c.id == name).values(**fresh)).rowcount:
        raise unknown(name)


def rotate(connection: Connection, name: str, *, keep: int = 1) -> str:
    """Give a target a new secret, and return it; `keep` older ones still sign beside it.

    Raises:
        ConfigurationError: there is no such target, or its secret is not astrio's.
    """
    row = next(iter(read_targets(connection, [name])), None)
    if row is None:
        raise unknown(name)
    if row.target().signing is not None:
        raise ConfigurationError(
            f"The secret of {name} is not one that astrio made.",
            advice="List the new one before the old one in its `secret`; take the old one away "
            "when the receiver knows the new one.",
        )
    new = new_secret()
    kept = [new, *row.own_secrets()[:keep]]
    sealed = _sealed(name, kept)
    connection.execute(table.update().where(table.c.id == name).values(secrets=sealed))
    return new


def unknown(name: str) -> ConfigurationError:
    """Return the error for a target that the ledger does not know."""
    return ConfigurationError(
        f"There is no target {name}.", advice="`astrio deliveries targets` lists them."
    )


def new_secret() -> str:
    """Return a new secret of Standard Webhooks."""
    text = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    remember(text)
    return text


def _sealed(name: str, texts: list[str]) -> bytes:
    return BytesSealer(PURPOSE).seal(json.dumps(texts).encode(), name.encode())
