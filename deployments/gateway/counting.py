"""What metrics and logs tell of requests: counts by source, never a header, a body or a path."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

UNKNOWN: Final = ""
"""Stands for the source of requests that go to none."""
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, seconds."""


class Counts:
    """Counts what becomes of requests, for one thread.

    Attributes:
        accepted: new events by source.
        duplicates: events that were there already, by source.
        refused: refusals by source and reason.
        latency: by place in BOUNDS, the last one for what is beyond; of accepted requests, from
            their head to the durable row.
        seconds: sum of those latencies.
        last: the address that was refused last, by source and reason.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.accepted: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.latency = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.last: dict[tuple[str, str], str] = {}
        self._told: Counter[tuple[str, str]] = Counter()

    def accept(self, source: str, new: bool, seconds: float) -> None:
        """Count an event that is durable."""
        if new:
            self.accepted[source] += 1
        else:
            self.duplicates[source] += 1
        self.latency[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def refuse(self, source: str, reason: str, address: str) -> None:
        """Count a refusal."""
        self.refused[source, reason] += 1
        self.last[source, reason] = address

    def news(self) -> list[str]:
        """Return a line for each source and reason that refused since the last call."""
        fresh = self.refused - self._told
        self._told = self.refused.copy()
        return [
            f"{source or 'unknown path'}: {count} refused ({reason}), "
            f"last from {self.last[source, reason] or 'an unknown address'}"
            for (source, reason), count in sorted(fresh.items())
        ]
