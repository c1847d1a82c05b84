"""What a receiver has answered, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

GONE: Final = 410
_SLOW_DOWN: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one attempt.

    Attributes:
        status: the HTTP status, None if there was no answer.
        error: what went wrong, one redacted sentence; empty after a success.
        excerpt: the beginning of the answer, redacted; of failures only.
        ms: how long it took.
        retry_after: seconds that the receiver asks to be left alone.
    """

    status: int | None
    error: str = ""
    excerpt: str = ""
    ms: int = 0
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it: any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300 and not self.error

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == GONE

    @property
    def overloaded(self) -> bool:
        """Whether the receiver has to be left alone for a while."""
        return self.status in _SLOW_DOWN


def refusal(status: int) -> str:
    """Return the sentence for a status that is no success."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    if 300 <= status < 400:
        return f"The receiver answered {status}{phrase}; redirects are not followed."
    return f"The receiver answered {status}{phrase}."
