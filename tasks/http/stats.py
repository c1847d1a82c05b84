"""How many requests were sent and how long they took, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

from astrio.tasks.report import Requests

_SAMPLES = 1024


class RequestStats:
    """Counts requests and keeps a fair sample of their durations (reservoir sampling)."""

    def __init__(self, random: Callable[[], float]) -> None:
        """Take the source of randomness, uniform in [0, 1)."""
        self._random = random
        self._before = Requests()
        self._durations: list[float] = []
        self.sent = 0
        self.retried = 0

    def start_from(self, earlier: Requests) -> None:
        """Go on counting from the figures of a run that is resumed."""
        self._before = earlier

    def add(self, seconds: float) -> None:
        """Count a request and its duration."""
        self.sent += 1
        if len(self._durations) < _SAMPLES:
            self._durations.append(seconds)
        elif (place := int(self._random() * self.sent)) < _SAMPLES:
            self._durations[place] = seconds

    def count_retry(self) -> None:
        """Count a request that is sent once more."""
        self.retried += 1

    def report(self) -> Requests:
        """Return the figures; percentiles in milliseconds, of this run's part if it has any."""
        return Requests(
            sent=self._before.sent + self.sent,
            retried=self._before.retried + self.retried,
            p50_ms=self._percentile(0.50, self._before.p50_ms),
            p95_ms=self._percentile(0.95, self._before.p95_ms),
        )

    def _percentile(self, share: float, before: int | None) -> int | None:
        if not self._durations:
            return before
        ordered = sorted(self._durations)
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))])
