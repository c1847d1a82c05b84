"""Where a reading of parents and children stands, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Place:
    """Where a reading stands after a page. All values are JSON values.

    Attributes:
        parents: position of the page of parents.
        parents_page: its number, less one.
        parents_received: parents received before it.
        done: keys of its parents whose children are read.
        parent: the parent whose children are being read, None: none is.
        child: where in that parent's slice; None: it is not cut into parts.
        received: records of that parent so far.
        cursor: the highest cursor of these records.
        claimed: the total of the parents before, None: one of them named none.
        read: parents whose children were asked for.
        missing: how many of them have none to read.
        examples: the keys of some of these.
    """

    parents: dict[str, Any]
    parents_page: int = 0
    parents_received: int = 0
    done: list[str] = field(default_factory=list)
    parent: str | None = None
    child: Mapping[str, Any] | None = None
    received: int = 0
    cursor: Any = None
    claimed: int | None = 0
    read: int = 0
    missing: int = 0
    examples: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `Place(**values)` makes an equal place."""
        return asdict(self)
