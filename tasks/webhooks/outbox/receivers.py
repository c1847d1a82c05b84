"""The receivers of a deliverer: targets made ready, with their gates, renewed now and then."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from astrio.blocks.errors import AstrioError
from astrio.blocks.store import reader
from astrio.tasks.webhooks.outbox.gate import Gate
from astrio.tasks.webhooks.outbox.receiver import Receiver, prepared
from astrio.tasks.webhooks.outbox.routing import TargetForm
from astrio.tasks.webhooks.outbox.targets import TargetRow

SAVED_FOR: Final = 60.0
"""Seconds after which what is saved is read again, so that rotated secrets are seen."""
_log = logging.getLogger(__name__)


class Receivers:
    """What can be sent to, by target.

    Attributes:
        ready: receivers of enabled targets.
        unusable: why other targets cannot be sent to.
    """

    def __init__(self) -> None:
        self.ready: dict[str, Receiver] = {}
        self.unusable: dict[str, str] = {}
        self._gates: dict[str, Gate] = {}
        self._known: dict[str, tuple[tuple[Any, ...], float]] = {}

    def renew(self, rows: Iterable[TargetRow], now: float) -> None:
        """Make targets ready that are new or have changed; blocks while saved ones are read.

        Args:
            rows: every target of the ledger.
            now: seconds of a clock that only runs forwards.
        """
        rows = list(rows)
        if any(row.saved and self._is_old(row, now) for row in rows):
            reader.forget()
        for row in rows:
            if self._is_old(row, now):
                self._prepare(row, now)
        for name in self.ready.keys() - {row.id for row in rows if not row.disabled}:
            del self.ready[name]
        for name in self.unusable.keys() - {row.id for row in rows}:
            del self.unusable[name]

    def held_up(self) -> dict[str, str]:
        """Return why nothing can be sent to targets that are enabled, by target."""
        return {name: why for name, why in self.unusable.items() if name not in self.ready}

    def gate(self, name: str) -> Gate:
        """Return a target's gate."""
        return self._gates[name]

    def slots(self, now: float, first: int) -> dict[str, int]:
        """Return how many deliveries each target may begin now; `first` says who comes first."""
        names = list(self.ready)
        turn = first % len(names) if names else 0
        return {
            name: free
            for name in (*names[turn:], *names[:turn])
            if (free := self._gates[name].free(now)) > 0
        }

    def forms(self) -> dict[str, TargetForm]:
        """Return what routing has to know of each."""
        return {
            name: TargetForm(each.content_type, each.schedule.delays[0])
            for name, each in self.ready.items()
        }

    def _is_old(self, row: TargetRow, now: float) -> bool:
        known = self._known.get(row.id)
        if known is None or known[0] != _version(row):
            return True
        return row.saved is not None and now - known[1] >= SAVED_FOR

    def _prepare(self, row: TargetRow, now: float) -> None:
        self._known[row.id] = _version(row), now
        if row.disabled:
            self.ready.pop(row.id, None)
            self.unusable.pop(row.id, None)
            return
        try:
            receiver = prepared(row.id, row.target(), row.own_secrets())
        except (AstrioError, ValueError) as error:
            self._refuse(row, error)
            return
        self.unusable.pop(row.id, None)
        self.ready[row.id] = receiver
        if row.id in self._gates:
            self._gates[row.id].configure(receiver.concurrency, receiver.rate)
        else:
            self._gates[row.id] = Gate(receiver.concurrency, receiver.rate)

    def _refuse(self, row: TargetRow, error: Exception) -> None:
        """Leave a target out until it changes; one that worked goes on as it was."""
        reason = str(error) if isinstance(error, AstrioError) else "Its settings are wrong."
        if self.unusable.get(row.id) != reason:
            _log.warning("Nothing can be sent to %s: %s", row.id, reason)
        self.unusable[row.id] = reason
        self._known.pop(row.id)


def _version(row: TargetRow) -> tuple[Any, ...]:
    settings: Sequence[Any] = (row.saved, row.settings, row.secrets, row.disabled)
    return tuple(settings)
