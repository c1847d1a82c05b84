"""Token buckets: so many requests a second, and so many at once.

Each is kept as one number, the moment at which the bucket is full again (GCRA).
"""

from __future__ import annotations

from typing import Final

_MOST: Final = 16384


class Bucket:
    """The bucket of one source."""

    __slots__ = ("_burst", "_full_at", "_interval")

    def __init__(self, per_second: float, burst: int = 0) -> None:
        """Take the rate, and how many may come at once; 0: those of one second."""
        self._interval = 1 / per_second
        self._burst = max(burst or per_second, 1) * self._interval
        self._full_at = 0.0

    def take(self, now: float) -> float:
        """Take a token; return 0, or the seconds after which there is one.

        Args:
            now: seconds of a clock that never goes back.
        """
        full_at = max(self._full_at, now) + self._interval
        wait = full_at - now - self._burst
        if wait > 1e-9:  # what floats lose must not refuse the last of a burst
            return wait
        self._full_at = full_at
        return 0.0


class Buckets:
    """One bucket for each address, as many as there is room for."""

    def __init__(self, per_second: float, burst: int = 0, most: int = _MOST) -> None:
        """Take what holds for each address, and how many addresses are remembered."""
        self._interval = 1 / per_second
        self._burst = max(burst or per_second, 1) * self._interval
        self._most = most
        self._full_at: dict[str, float] = {}

    def take(self, address: str, now: float) -> float:
        """Take a token of an address; return as `Bucket.take`."""
        full_at = max(self._full_at.get(address, 0.0), now) + self._interval
        wait = full_at - now - self._burst
        if wait > 1e-9:
            return wait
        if len(self._full_at) >= self._most and address not in self._full_at:
            self._make_room(now)
        self._full_at[address] = full_at
        return 0.0

    def _make_room(self, now: float) -> None:
        """Forget whose bucket is full; if nobody's is, those that have been known longest."""
        self._full_at = {who: full_at for who, full_at in self._full_at.items() if full_at > now}
        surplus = len(self._full_at) - self._most * 3 // 4
        for who in list(self._full_at)[: max(surplus, 0)]:
            del self._full_at[who]
