"""Identity of a stream within its database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """An integration and the table it is pushed to, or a part of these.

    Attributes:
        part: names of the part, from the outside in; empty: all of it.
    """

    integration: str
    table: str
    part: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`integration:table`; SQL compares names without regard to case, and so does this."""
        return "#".join([f"{self.integration}:{self.table.lower()}", *self.part])

    @property
    def whole(self) -> Stream:
        """What this is a part of, or this itself."""
        return Stream(self.integration, self.table)

    @property
    def outer(self) -> Stream:
        """The next larger part."""
        return Stream(self.integration, self.table, self.part[:-1])

    @property
    def above(self) -> list[str]:
        """Identities of everything that this is a part of."""
        paths = (self.part[:depth] for depth in range(len(self.part)))
        return [Stream(self.integration, self.table, path).id for path in paths]


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
