"""When a failed request is repeated, and after how long (RFC 9110, *Retry-After*)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState

from astrio.blocks.errors import ApiUnavailableError, AstrioError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings


class AttemptFailedError(Exception):
    """One attempt failed.

    Attributes:
        error: what to raise if no further attempt mends it.
        repeat: whether another attempt may be made.
        asked: seconds that the API asked to wait.
    """

    def __init__(
        self, error: AstrioError, *, repeat: bool = True, asked: float | None = None
    ) -> None:
        """Take the error and whether to go on."""
        super().__init__(error.message)
        self.error = error
        self.repeat = repeat
        self.asked = asked

    def after(self, attempts: int) -> AstrioError:
        """Return the error to raise after so many attempts; a retried failure may pass later."""
        if attempts < 2:
            return self.error
        error = self.error
        kind = type(error) if isinstance(error, ApiUnavailableError) else ApiUnavailableError
        message = f"{error.message.rstrip('.')} (tried {attempts} times)."
        return kind(message, advice=error.advice, request=error.request)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Decides on retries.

    Attributes:
        settings: the file's `retry`.
        random: a number in [0, 1), for the jitter.
    """

    settings: RetrySettings
    random: Callable[[], float]

    def repeats_status(self, request: ApiRequest, status: int, asked: float | None) -> bool:
        """Whether an answer with this status is asked for again.

        With a wait asked for, 429 and 503 are repeated even if the list leaves them out, unless
        `strict`; 401 and 403 never are. What must not be sent twice is repeated only if the API
        surely did not act on it: 429 with a wait.
        """
        told = asked is not None and not self.settings.strict
        listed = status in self.settings.retry_on_status and status not in (401, 403)
        wanted = listed or (told and status in (429, 503))
        return wanted and (request.repeatable or (status == 429 and asked is not None))

    def should_repeat(self, state: RetryCallState) -> bool:
        """Tell tenacity whether another attempt is made."""
        failure = _failure(state)
        return failure is not None and failure.repeat and not self.waits_too_long(failure)

    def waits_too_long(self, failure: AttemptFailedError) -> bool:
        """Whether the API asks for a longer wait than the run may spend."""
        return failure.asked is not None and failure.asked * 1000 > self.settings.max_wait

    def wait(self, state: RetryCallState) -> float:
        """Return the seconds before the next attempt.

        They grow exponentially with full jitter on top, are never fewer than what the API asked
        for, and otherwise at most `max_wait`.
        """
        failure = _failure(state)
        asked = 0.0 if failure is None or failure.asked is None else failure.asked
        longest = self.settings.max_wait / 1000
        multiplier = self.settings.backoff_multiplier ** (state.attempt_number - 1)
        backoff = min(self.settings.retry_delay / 1000 * multiplier, longest)
        return max(asked, min(max(asked, backoff) + self.random() * backoff, longest))


def _failure(state: RetryCallState) -> AttemptFailedError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, AttemptFailedError) else None
