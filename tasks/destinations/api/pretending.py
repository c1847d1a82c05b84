"""Deliveries that are carried out in full but for the sending: every request is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from astrio.tasks.destinations.api.held import Held
from astrio.tasks.destinations.api.journal import Journal
from astrio.tasks.destinations.api.outcomes import Found, Outcome, Outcomes
from astrio.tasks.destinations.api.sender import Answered, Sender
from astrio.tasks.destinations.api.settings import DeliverySettings
from astrio.tasks.destinations.sql.database import Database
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.ledger.opening import Ledger


class Pretender(Sender):
    """Sends nothing, and says that it was accepted."""

    def __init__(self) -> None:
        """Need neither client nor answers."""

    async def send(self, request: ApiRequest) -> Answered:  # noqa: ARG002 (as its base)
        """Accept the request."""
        return Answered("accepted")


class Presumed(Outcomes):
    """Presumes that each record is accepted, and that none was before."""

    def __init__(self, settings: DeliverySettings) -> None:
        """Take the settings: what answers return stands for itself."""
        self._returns = {name: f"({name} of the answer)" for name in settings.returns} or None

    def of_items(self, answered: Answered, items: Sequence[Any]) -> list[Outcome] | None:  # noqa: ARG002 (as its base)
        """Return that each was accepted."""
        return [Outcome("accepted", returned=self._returns)] * len(items)

    async def look_up(
        self,
        record: Mapping[str, Any],  # noqa: ARG002 (as its base)
        token: str,  # noqa: ARG002
        returned: Mapping[str, Any] | None,  # noqa: ARG002
    ) -> Found | None:
        """Find nothing, so that the request is told."""
        return Found(there=False)


class ShadowJournal(Journal):
    """The journal as it is, and beside it, in a file of its own, what the run would write."""

    def __init__(self, stream: str, folder: Path, *, reads_again: bool) -> None:
        """Take the stream, where the shadow may lie, and whether the source is read anew."""
        super().__init__(_Beside(folder / "shadow.db"), stream)
        ledger = Ledger()
        self._real = Journal(ledger, stream) if ledger.exists() else None
        self._reads_again = reads_again

    def find(self, identities: Iterable[str]) -> list[Held]:
        """Return the rows as the run would find them."""
        wanted = list(identities)
        rows: dict[str, Held] = {}
        for held in self._real.find(wanted) if self._real else ():
            held.met = held.met and not self._reads_again
            rows[held.id] = held
        rows |= {held.id: held for held in super().find(wanted)}
        return sorted(rows.values(), key=lambda held: (held.identity, held.occurrence))

    def read_again(self) -> None:
        """Leave the journal as it is."""

    def forgotten(self) -> int:
        """Return how many requests of interrupted runs the stream has, as it is."""
        return 0


class _Beside(Ledger):
    def __init__(self, file: Path) -> None:
        self.database = Database(URL.create("sqlite", database=str(file)))
        self.own_file = False
        self._ready = False
