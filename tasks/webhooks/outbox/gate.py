"""The gate of a target: how many deliveries may go to it now.

Each target has a cap of its own, so that a slow one fills no more than that; it begins at one and
doubles with each success, so that one that is dead from the start holds one place. Failures that
say that the receiver is down or overloaded open its breaker: one delivery at a time is tried, and
after each the target is left alone for twenty times as long as the attempt took. So a dead target
takes a twentieth of one slot, however long its timeouts are, and one that refuses at once
is through with its retries soon. The first success closes the breaker; the cap grows back.
"""

from __future__ import annotations

from typing import Final, Literal

from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.schedule import LONGEST_WAIT

OPENS_AFTER: Final = 5
SHORTEST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 60.0
_PAUSE_SHARE: Final = 20
Breaker = Literal["closed", "open"]


class Gate:
    """Decides for one target; all times are seconds of one steady clock."""

    def __init__(self, concurrency: int, rate: float | None = None) -> None:
        """Take the cap, and the most deliveries a second, None for no limit."""
        self._allowed = 1.0
        self.configure(concurrency, rate)
        self.breaker: Breaker = "closed"
        self._under_way = 0
        self._failures = 0
        self._free_at = 0.0
        self._tokens = self._burst
        self._counted_at: float | None = None

    def configure(self, concurrency: int, rate: float | None) -> None:
        """Take other limits; what is under way goes on."""
        self._cap = concurrency
        self._rate = rate
        self._burst = max(1.0, rate or 0.0)
        self._allowed = min(self._allowed, float(concurrency))

    @property
    def under_way(self) -> int:
        """How many are being delivered."""
        return self._under_way

    def free(self, now: float) -> int:
        """Return how many deliveries may begin now."""
        if now < self._free_at:
            return 0
        most = 1 if self.breaker == "open" else int(self._allowed)
        return max(0, min(most - self._under_way, self._affordable(now)))

    def begin(self) -> None:
        """Count a delivery that begins."""
        self._under_way += 1
        if self._rate is not None:
            self._tokens -= 1

    def end(self, answer: Answer | None, now: float) -> None:
        """Learn from a delivery that has ended; None: nothing was sent."""
        self._under_way -= 1
        if answer is None:
            return
        if answer.delivered:
            self._failures = 0
            self.breaker = "closed"
            self._allowed = min(float(self._cap), self._allowed * 2)
        elif _ails(answer):
            self._failures += 1
            if answer.overloaded or self._failures >= OPENS_AFTER:
                self._open(answer, now)

    def _open(self, answer: Answer, now: float) -> None:
        self.breaker = "open"
        self._allowed = 1.0
        pause = min(max(answer.ms / 1000 * _PAUSE_SHARE, SHORTEST_PAUSE), LONGEST_PAUSE)
        asked = min(answer.retry_after or 0.0, LONGEST_WAIT) if answer.overloaded else 0.0
        self._free_at = now + max(pause, asked)

    def _affordable(self, now: float) -> int:
        if self._rate is None:
            return self._cap
        if self._counted_at is not None:
            gained = max(0.0, now - self._counted_at) * self._rate
            self._tokens = min(self._burst, self._tokens + gained)
        self._counted_at = now
        return int(self._tokens)


def _ails(answer: Answer) -> bool:
    """Whether an answer says that the receiver is down, and not that it dislikes one event."""
    return answer.status is None or answer.status >= 500 or answer.overloaded
