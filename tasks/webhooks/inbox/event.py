"""What arrives, and what the inbox keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Row

from astrio.blocks.literals import SENSITIVE_NAME
from astrio.tasks.ledger.sealing_bytes import BytesSealer

Headers = Sequence[tuple[bytes, bytes]]
_PLAIN_ID: Final = 80
_LENGTH: Final = 4
_MASK: Final = b"***"


class State(StrEnum):
    """How far an event has come."""

    RECEIVED = "received"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(slots=True)  # one for each request: freezing it would cost as much as making it
class Arrival:
    """A verified request, about to be stored; nobody changes it.

    Attributes:
        source: name of the webhook source.
        delivery_id: the vendor's, None if it has none: then the body tells deliveries apart.
        headers: names in lower case, in order.
        body: the raw bytes.
        received_at: epoch seconds.
    """

    source: str
    delivery_id: str | None
    headers: Headers
    body: bytes
    received_at: float

    def identity(self) -> str:
        """Return what two deliveries of the same event have in common.

        Ids are taken as they are where they can be: many are in the order of time, which keeps
        the index compact.
        """
        id_ = self.delivery_id
        if id_ is None:
            return "b" + blake2b(self.body, digest_size=16).hexdigest()
        if len(id_) <= _PLAIN_ID and id_.isascii() and id_.isprintable():
            return "d" + id_
        text = id_.encode("utf-8", "surrogatepass")
        return "h" + blake2b(text, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the inbox.

    Attributes:
        id: astrio's own, in the order of arrival.
        source: name of the webhook source.
        delivery_id: the vendor's.
        state: how far it has come.
        received_at: epoch seconds.
        changed_at: when its state changed, epoch seconds.
        due_at: when it may be claimed, epoch seconds; None: it is done or dead.
        attempts: how often it has been claimed since it arrived or was replayed.
        replays: how often it has been replayed.
        flow_run: id of the flow run that has, or had, it.
        done_by: names of the integrations that are through with it, when others are not.
        error: of the last attempt.
        size: bytes of the body.
        headers: those of the request, secrets masked; empty if only listed or purged.
        body: the raw bytes; None if only listed or purged.
    """

    id: str
    source: str
    delivery_id: str | None
    state: State
    received_at: float
    changed_at: float
    due_at: float | None
    attempts: int
    replays: int
    flow_run: str | None
    done_by: tuple[str, ...]
    error: str
    size: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def key(self) -> str:
        """The idempotency key: the same over all attempts, another one once it is replayed."""
        return f"{self.id}.{self.replays}" if self.replays else self.id


def sealed(sealer: BytesSealer, id_: str, arrival: Arrival) -> bytes:
    """Return headers and body, encrypted for the row of that id."""
    head = _packed(arrival.headers)
    return sealer.seal(len(head).to_bytes(_LENGTH, "big") + head + arrival.body, id_.encode())


def opened(row: Row[Any], sealer: BytesSealer | None) -> Event:
    """Return a row as an event, with headers and body if there is a sealer.

    Raises:
        ConfigurationError: it was sealed with another key.
    """
    headers: tuple[tuple[str, str], ...] = ()
    body = None
    if sealer is not None and row.sealed is not None:
        headers, body = _unpacked(sealer.unseal(bytes(row.sealed), row.id.encode()))
    return Event(
        id=row.id,
        source=row.source,
        delivery_id=row.delivery_id,
        state=State(row.state),
        received_at=row.received_at,
        changed_at=row.changed_at,
        due_at=row.due_at,
        attempts=row.attempts,
        replays=row.replays,
        flow_run=row.flow_run,
        done_by=tuple(row.done_by.split()),
        error=row.error,
        size=row.size,
        headers=headers,
        body=body,
    )


def _packed(headers: Headers) -> bytes:
    if not headers:
        return b""
    names, values = zip(*headers, strict=True)
    lines, secret = _lines(names)
    if secret:
        values = tuple(_MASK if at in secret else value for at, value in enumerate(values))
    return lines % values


@lru_cache(maxsize=256)
def _lines(names: tuple[bytes, ...]) -> tuple[bytes, frozenset[int]]:
    """Return the template of these headers' lines, and which of them hold secrets."""
    lines = (b"%b: %%b\n" % name.replace(b"%", b"%%") for name in names)
    return b"".join(lines), frozenset(at for at, name in enumerate(names) if _is_secret(name))


def _unpacked(data: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    lines = data[_LENGTH:end].decode("latin-1").split("\n")[:-1]
    pairs = (line.partition(": ") for line in lines)
    return tuple((name, value) for name, _, value in pairs), data[end:]


def _is_secret(name: bytes) -> bool:
    text = name.decode("latin-1")
    return text in {"cookie", "proxy-authorization"} or SENSITIVE_NAME.search(text) is not None
