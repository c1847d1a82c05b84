"""A clock for schedules: epoch seconds that only run forwards."""

from __future__ import annotations

import time
from collections.abc import Callable


class SteadyClock:
    """Says the time as it was when the process began, plus what has passed since.

    When somebody sets the machine's clock an hour forward or back, nothing that waits becomes due
    an hour too soon or too late.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the two clocks, and look at both."""
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def __call__(self) -> float:
        """Return epoch seconds."""
        return self._monotonic() + self._offset
