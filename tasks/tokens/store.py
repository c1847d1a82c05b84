"""Tokens in the ledger: encrypted, versioned, renewed by one process at a time."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from astrio.blocks.tokens import Token
from astrio.tasks.destinations.sql.process import Process
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing import seal, unseal
from astrio.tasks.ledger.tables import token as table

TERM: Final = 90.0  # seconds; longer than any exchange with a token endpoint may take


class State(Enum):
    """What a kept token is good for."""

    NONE = "none"
    LIVE = "live"
    NEEDS_AUTHORISATION = "needs authorisation"


@dataclass(frozen=True, slots=True)
class Kept:
    """A token as it is kept.

    Attributes:
        version: counted up with each token.
        state: what it is good for.
        token: the token, if there is one.
        reason: why it needs an authorisation.
        renewed_at: when it was had, epoch seconds.
    """

    version: int = 0
    state: State = State.NONE
    token: Token | None = None
    reason: str = ""
    renewed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Which token is meant, and how people call it."""

    id: str
    account: str
    kind: str


class Claimed(Enum):
    """How an attempt to become the one that renews a token has ended."""

    OURS = "ours"
    TAKEN = "another process is at it"
    MOVED = "there is another token meanwhile, or none is to be had"
    LOST = "a process ended while it waited for an answer that cannot be had again"


class TokenStore:
    """Keeps tokens; every method is one transaction, and blocks while it lasts."""

    def __init__(self, ledger: Ledger | None = None, now: Callable[[], float] = time.time) -> None:
        """Take the ledger, and what tells the time in epoch seconds."""
        self._ledger = ledger or Ledger()
        self._now = now
        self._holder = uuid.uuid4().hex

    def read(self, entry: Entry) -> Kept:
        """Return what is kept.

        Raises:
            AstrioError: the ledger cannot be read, or was encrypted with another key.
        """
        with self._ledger.reading() as connection:
            return _kept(_row(connection, entry))

    def claim(self, entry: Entry, version: int, *, at_risk: bool) -> Claimed:
        """Become the one that renews the token of this version, for 90 seconds.

        Args:
            entry: which token.
            version: the version that is to be replaced.
            at_risk: whether a lost answer leaves nothing to ask with again; if this process ends
                before `save` or `release`, the connection then needs a new authorisation.
        """
        with self._ledger.writing() as connection:
            self._put_blank(connection, entry)
            row = _row(connection, entry)
            assert row is not None
            if row.version != version or row.state == State.NEEDS_AUTHORISATION.value:
                return Claimed.MOVED
            if self._held_by_other(row):
                return Claimed.TAKEN
            if row.holder not in (None, self._holder) and row.at_risk:
                return Claimed.LOST
            self._update(connection, entry, **self._ours(), at_risk=int(at_risk))
            return Claimed.OURS

    def save(self, entry: Entry, version: int, token: Token) -> bool:
        """Keep the token that has replaced this version; it is durable on return.

        Returns:
            False: somebody has authorised the connection anew meanwhile, and that token stays.
        """
        with self._ledger.writing() as connection:
            row = _row(connection, entry)
            if row is None or row.version != version:
                return False
            self._put(connection, entry, version + 1, token)
            return True

    def replace(self, entry: Entry, token: Token) -> list[str]:
        """Keep a token that somebody has authorised; return what was paused for want of it."""
        with self._ledger.writing() as connection:
            self._put_blank(connection, entry)
            row = _row(connection, entry)
            assert row is not None
            self._put(connection, entry, row.version + 1, token)
            self._update(connection, entry, paused="[]")
            return list(json.loads(row.paused))

    def release(self, entry: Entry) -> None:
        """Give up the right to renew it; nothing has changed."""
        with self._ledger.writing() as connection:
            ours = table.c.holder == self._holder
            free = table.update().where(table.c.id == entry.id, ours).values(holder=None, at_risk=0)
            connection.execute(free)

    def refuse(self, entry: Entry, version: int, reason: str) -> None:
        """Mark the token of this version: somebody has to authorise the connection."""
        with self._ledger.writing() as connection:
            row = _row(connection, entry)
            if row is not None and row.version == version:
                state = State.NEEDS_AUTHORISATION.value
                free: dict[str, Any] = {"holder": None, "at_risk": 0}
                self._update(connection, entry, state=state, reason=reason, **free)

    def note_paused(self, account: str, deployment: str) -> None:
        """Remember that a deployment was paused because this account needs an authorisation."""
        with self._ledger.writing() as connection:
            query = select(table).where(table.c.account == account).with_for_update()
            for row in connection.execute(query).all():
                known = {*json.loads(row.paused), deployment}
                if row.state != State.LIVE.value:
                    paused = table.update().where(table.c.id == row.id)
                    connection.execute(paused.values(paused=json.dumps(sorted(known))))

    def _put_blank(self, connection: Connection, entry: Entry) -> None:
        blank = self._ledger.database.dialect.insert(table).values(
            id=entry.id,
            account=entry.account,
            kind=entry.kind,
            version=0,
            state=State.NONE.value,
            reason="",
            renewed_at=0.0,
            at_risk=0,
            held_until=0.0,
            paused="[]",
        )
        connection.execute(blank.on_conflict_do_nothing())

    def _put(self, connection: Connection, entry: Entry, version: int, token: Token) -> None:
        self._update(
            connection,
            entry,
            version=version,
            state=State.LIVE.value,
            sealed=seal(json.dumps(token.to_json())),
            reason="",
            renewed_at=self._now(),
            expires_at=token.expires_at,
            holder=None,
            at_risk=0,
        )

    def _update(self, connection: Connection, entry: Entry, **values: Any) -> None:
        connection.execute(table.update().where(table.c.id == entry.id).values(**values))

    def _ours(self) -> dict[str, Any]:
        process = Process.current()
        return {
            "holder": self._holder,
            "host": process.host,
            "pid": process.pid,
            "machine": process.machine,
            "process_start": process.start,
            "held_until": self._now() + TERM,
        }

    def _held_by_other(self, row: Row[Any]) -> bool:
        """Whether another process is at it, as far as can be told: alive, and within its term."""
        if row.holder is None or row.holder == self._holder or row.held_until <= self._now():
            return False
        return not Process(row.host, row.pid, row.machine, row.process_start).is_gone()


def _row(connection: Connection, entry: Entry) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c.id == entry.id).with_for_update()).first()


def _kept(row: Row[Any] | None) -> Kept:
    if row is None:
        return Kept()
    token = Token(**json.loads(unseal(row.sealed))) if row.sealed else None
    return Kept(row.version, State(row.state), token, row.reason, row.renewed_at)
