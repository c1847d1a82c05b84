"""The triggers that the ledger knows, and registering them with their targets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import trigger as table
from astrio.tasks.webhooks.outbox.targets import register
from astrio.tasks.webhooks.outbox.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Registration:
    """A trigger as a file defines it.

    Attributes:
        trigger: names its targets by their ids.
        targets: the settings of each, or the name they are saved under.
        file: absolute path of the file, None if it was written in Python.
    """

    trigger: Trigger
    targets: Mapping[str, WebhookTarget | str]
    file: str | None = None


def register_triggers(
    registrations: Iterable[Registration], now: float, ledger: Ledger | None = None
) -> None:
    """Put triggers and their targets into the ledger, in the place of those of the same names.

    Raises:
        AstrioError: the ledger cannot be written.
    """
    ledger = ledger or Ledger()
    dialect = ledger.database.dialect
    with ledger.writing() as connection:
        for each in registrations:
            for name, target in each.targets.items():
                register(connection, dialect, name, target, now)
            document = each.trigger.model_dump_json(by_alias=True, exclude_defaults=True)
            values = {"name": each.trigger.name, "document": document, "file": each.file}
            insert = dialect.insert(table).values(values)
            connection.execute(
                insert.on_conflict_do_update(index_elements=[table.c.name], set_=values)
            )


def forget_triggers(names: Iterable[str], ledger: Ledger | None = None) -> None:
    """Let events go no more where these triggers sent them; what is under way is delivered."""
    with (ledger or Ledger()).writing() as connection:
        connection.execute(table.delete().where(table.c.name.in_(list(names))))


def read_documents(connection: Connection) -> tuple[str, ...]:
    """Return every trigger as it is kept, by name."""
    documents = select(table.c.document).order_by(table.c.name)
    return tuple(connection.execute(documents).scalars())


def read_trigger(document: str) -> Trigger:
    """Return a trigger that is kept so."""
    return Trigger.model_validate(json.loads(document))


def known_triggers(ledger: Ledger | None = None) -> list[tuple[Trigger, str | None]]:
    """Return every trigger with the file it comes from, by name."""
    ledger = ledger or Ledger()
    if not ledger.exists():
        return []
    with ledger.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.name)).all()
    return [(Trigger.model_validate(json.loads(row.document)), row.file) for row in rows]
