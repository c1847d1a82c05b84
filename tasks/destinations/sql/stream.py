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
    """Which run writes a stream's state, and when (as `moment.written` writes it)."""

    stream: Stream
    run_id: str
    at: str
