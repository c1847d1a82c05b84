"""Identity of a stream within its database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """An integration and the table it is pushed to."""

    integration: str
    table: str

    @property
    def id(self) -> str:
        """`integration:table`; SQL compares names without regard to case, and so does this."""
        return f"{self.integration}:{self.table.lower()}"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which run writes a stream's state, and when (as `moment.written` writes it).

    Attributes:
        started: when the run began: the clock of its mapping.
        mapping: names the version of mapping and rules.
    """

    stream: Stream
    run_id: str
    at: str
    started: str | None = None
    mapping: str | None = None
