"""`schedule.heal`: where a run that reads everything again differs from the others."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node


def check(root: Node) -> Iterator[Mistake]:
    """Warn of a healing schedule where every run reads everything anyway."""
    schedule, source = root.at("schedule"), root.at("source")
    entry = schedule.entry("heal") if schedule else None
    incremental = source.entry("incremental") if source else None
    python = source.entry("python") if source else None
    if entry and entry.node.plain() is not None and not (incremental or python):
        words = "`heal` has no effect: without `source.incremental`, every run reads everything"
        yield Mistake.at(entry.place, "schedule.heal", words, warning=True)
