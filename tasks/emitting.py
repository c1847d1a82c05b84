"""Emitting events: a durable row in the outbox, within the caller's own transaction if wanted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, MetaData, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.ledger.home import astrio_home
from astrio.tasks.ledger.opening import SCHEMA, Ledger
from astrio.tasks.ledger.outbox_tables import event as table
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.outbox.event import (
    LONGEST_KEY,
    PURPOSE,
    Emitted,
    check_name,
    encoded,
    new_id,
)

_WHICH: Final = text(
    "SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
)
_checked: WeakSet[Engine] = WeakSet()


def emit(  # noqa: PLR0913 (three describe the event, three are rarely given)
    event: str,
    payload: Any,
    idempotency_key: str | None = None,
    *,
    target: str | None = None,
    order_key: str | None = None,
    within: Session | Connection | None = None,
) -> Emitted:
    """Put an event into the outbox; it is durable on return, or when the caller commits.

    The deliverer (`astrio up`) sends it to every target whose trigger names it.

    Args:
        event: its name, such as `user.created`.
        payload: a JSON object or list, 256 KiB at most; it is kept encrypted.
        idempotency_key: what makes the event one and the same: emitted again, nothing is added.
        target: the only target, whatever the triggers say.
        order_key: events of one key reach each target in the order in which they were emitted.
        within: the application's own transaction, where the ledger is its PostgreSQL database: the
            event exists if, and only if, that transaction is committed. For asyncio:
            `await session.run_sync(lambda each: emit(…, within=each))`.

    Raises:
        ConfigurationError: name, payload or key cannot be used, or `within` is no transaction of
            the ledger's database.
        AstrioError: the ledger cannot be written.
    """
    body = encoded(payload)
    _check_keys(idempotency_key, order_key)
    id_ = new_id()
    values = {
        "id": id_,
        "name": check_name(event),
        "identity": idempotency_key,
        "target": target,
        "order_key": order_key,
        "state": "new",
        "created_at": time.time(),
        "size": len(body),
        "sealed": BytesSealer(PURPOSE).seal(body, id_.encode()),
    }
    with _transaction(within) as (connection, into):
        return _inserted(connection, into, values)


def _check_keys(*keys: str | None) -> None:
    for key in keys:
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            raise ConfigurationError(f"A key of an event has 1 to {LONGEST_KEY} characters.")


@contextmanager
def _transaction(within: Session | Connection | None) -> Iterator[tuple[Connection, Table]]:
    ledger = _ledger(os.environ.get("ASTRIO_LEDGER_URL"), astrio_home())
    if within is None:
        with ledger.writing() as connection:
            yield connection, table
        return
    connection = within if isinstance(within, Connection) else within.connection()
    if connection.engine not in _checked:
        _require_same(ledger, connection)
        _checked.add(connection.engine)
    yield connection, _in_schema()


@lru_cache(maxsize=8)
def _ledger(_url: str | None, _home: Path) -> Ledger:
    """Return the ledger of an environment, which looks at its tables once."""
    return Ledger()


def _require_same(ledger: Ledger, connection: Connection) -> None:
    """Refuse a transaction of another database than the ledger's.

    They are compared by what the servers say, since poolers and aliases hide the address.
    """
    if connection.dialect.name == "postgresql":
        with ledger.reading() as own:
            here = own.execute(_WHICH).one() if own.dialect.name == "postgresql" else None
        if here == connection.execute(_WHICH).one():
            return
    raise ConfigurationError(
        "This transaction is not one of the ledger's database, so the event would not belong "
        "to it.",
        advice="Set ASTRIO_LEDGER_URL to the application's own PostgreSQL database; or leave "
        "`within` out.",
    )


@lru_cache(maxsize=1)
def _in_schema() -> Table:
    return table.to_metadata(MetaData(), schema=SCHEMA)


def _inserted(connection: Connection, into: Table, values: dict[str, Any]) -> Emitted:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(into).values(values).on_conflict_do_nothing(index_elements=["identity"])
    if connection.execute(statement.returning(into.c.id)).first() is not None:
        return Emitted(values["id"], new=True)
    known = select(into.c.id).where(into.c.identity == values["identity"])
    return Emitted(str(connection.execute(known).scalar_one()), new=False)
