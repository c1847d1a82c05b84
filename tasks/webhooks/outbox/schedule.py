"""When a delivery that failed is tried again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from astrio.blocks.webhooks.target import DeliveryRetry

LONGEST_WAIT: Final = 3600.0
"""Seconds that a Retry-After may put off a delivery, unless its schedule waits longer itself."""
_PATIENT: Final = frozenset({429, 503})
_SECONDS = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds before each attempt, the first included, and the share they are varied by.

    Attributes:
        only: the statuses after which it is tried again, beside those that ask for patience;
            None: all failures.
    """

    delays: Sequence[float]
    jitter: float
    only: frozenset[int] | None = None

    @classmethod
    def of(cls, retry: DeliveryRetry) -> Schedule:
        """Return the schedule that the settings describe."""
        only = None if retry.retry_on_status is None else frozenset(retry.retry_on_status)
        return cls(retry.schedule(), retry.jitter, only)

    def first(self, chance: Callable[[], float]) -> float:
        """Return the seconds before the first attempt."""
        return self._varied(self.delays[0], chance)

    def after(
        self, attempts: int, chance: Callable[[], float], retry_after: float | None = None
    ) -> float | None:
        """Return the seconds until the next attempt, None if there is none.

        Args:
            attempts: how many there were.
            chance: a number from 0 to 1, at random.
            retry_after: how long the receiver asks to be left alone, seconds.
        """
        if attempts >= len(self.delays):
            return None
        wait = self._varied(self.delays[attempts], chance)
        asked = min(max(retry_after or 0.0, 0.0), LONGEST_WAIT)
        # Those who were all told the same moment do not come all at once.
        return max(wait, asked * (1 + self.jitter * chance()))

    def ends_with(self, status: int | None) -> bool:
        """Whether a failure with this status is not worth another attempt."""
        return self.only is not None and status is not None and status not in self.only | _PATIENT

    def _varied(self, delay: float, chance: Callable[[], float]) -> float:
        return delay * (1 + self.jitter * (2 * chance() - 1))


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110), None if it says nothing.

    Args:
        value: the header: seconds, or a date.
        now: epoch seconds.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())
