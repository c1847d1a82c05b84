"""What the journal holds of a record: what it was last sent as, and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final
from uuid import uuid4

APART: Final = -1
"""The occurrence of what belongs to no reading: it was left unknown, or is replayed."""


@dataclass(slots=True, eq=False)
class Held:
    """A record's row in the journal; hashes stand for contents.

    Attributes:
        id: of the row.
        identity: of the record: its key, or its content where each is sent once for each run.
        occurrence: which of the equal records of a run it is, 0-based.
        content: what the API has accepted last; None: nothing yet.
        version: of that, as JSON.
        returned: what the API's answer told of it.
        sends: how many contents have been on their way; it tells their idempotency keys apart.
        pending: the content that is on its way, or whose outcome is unknown; None: there is none.
        pending_version: of that, as JSON.
        token: its idempotency key.
        request: the idempotency key of the request that carries it.
        members: how many records that request carries.
        unknown: the outcome was told to be unknown.
        met: the reading that is under way has been past it, durably.
        run: the run that changed it last.
    """

    id: str
    identity: str
    occurrence: int = 0
    content: str | None = None
    version: str | None = None
    returned: dict[str, Any] | None = None
    sends: int = 0
    pending: str | None = None
    pending_version: str | None = None
    token: str | None = None
    request: str | None = None
    members: int = 0
    unknown: bool = False
    met: bool = False
    run: str = ""

    @classmethod
    def new(cls, identity: str, occurrence: int = 0) -> Held:
        """Return the row of a record that the journal does not hold."""
        return cls(uuid4().hex, identity, occurrence)

    @property
    def apart(self) -> bool:
        """Whether it belongs to no reading of the source."""
        return self.occurrence == APART

    @property
    def latest_version(self) -> str | None:
        """The version of what is accepted or, if there is one, of what may be."""
        return self.version if self.pending is None else self.pending_version

    def intend(self, content: str, version: str | None, token: str) -> None:
        """Note what is about to be sent."""
        if self.pending != content or self.token != token:
            self.sends += 1
            self.request, self.members = None, 0  # another content belongs to no earlier request
        self.pending, self.pending_version, self.token = content, version, token

    def carried(self, request: str, members: int, run: str) -> None:
        """Note by which request it is about to be sent."""
        self.request, self.members, self.run = request, members, run

    def accept(self, returned: dict[str, Any] | None, run: str) -> None:
        """Note that the API has accepted what was on its way."""
        self.content, self.version = self.pending, self.pending_version
        self.returned = self.returned if returned is None else returned
        self.met, self.run = False, run
        self._clear()

    def take_back(self, earlier: Held) -> None:
        """Note that nothing was sent since it was as it is in this copy."""
        for each in fields(self):
            setattr(self, each.name, getattr(earlier, each.name))

    def refuse(self) -> None:
        """Note that the API has not taken what was on its way."""
        self._clear()

    def _clear(self) -> None:
        self.pending = self.pending_version = self.token = self.request = None
        self.members, self.unknown = 0, False
