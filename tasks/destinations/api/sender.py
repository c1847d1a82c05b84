"""One request to the API, and what its answer, or the lack of one, means for what it carries."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, Literal

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    CredentialsError,
    OutcomeUnknownError,
    WaitTooLongError,
)
from astrio.tasks.answers import Answers, Verdict
from astrio.tasks.http.advice import ForbiddenError, RefusedError
from astrio.tasks.http.answer import Answer
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest

State = Literal["accepted", "refused", "denied", "too_large", "faulty", "unknown"]

# The API says so before it has looked at what the request holds.
_NOT_CARRIED_OUT: Final = frozenset({408, 425, 429, 503})
_DENIED: Final = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a request.

    Attributes:
        state: accepted; refused for what it holds; denied whatever it holds (403, 404, 405); too
            large; faulty: the API failed, and may be asked again; unknown.
        error: what to tell, None if it was accepted.
        answer: the last answer, None if there was none.
        fatal: nothing else need be sent.
        sent: it may have arrived.
    """

    state: State
    error: AstrioError | None = None
    answer: Answer | None = None
    fatal: bool = False
    sent: bool = True

    @property
    def words(self) -> str:
        """What to tell about a record that the request carried."""
        return "" if self.error is None else self.error.message.rstrip(".")


class Heard(Answers):
    """Judges the answers to one request, and remembers the last one."""

    answer: Answer | None = None
    verdict: Verdict | None = None

    def anew(self) -> Heard:
        """Return what hears the answers to another request."""
        return copy(self)

    def judge(self, answer: Answer, label: Callable[[], str]) -> Verdict | None:
        """Judge as every answer is judged."""
        self.answer, self.verdict = answer, None
        self.verdict = super().judge(answer, label)
        return self.verdict


class Sender:
    """Sends requests by the connection's client: its limits, retries, redaction and checks."""

    def __init__(self, client: ApiClient, answers: Heard) -> None:
        """Take the client and what judges its answers."""
        self._client = client
        self._answers = answers

    async def send(self, request: ApiRequest) -> Answered:
        """Send a request and tell what became of it; raises nothing that an API can cause."""
        heard = self._answers.anew()
        try:
            answer = await self._client.send(request, answers=heard)
        except ConfigurationError as error:
            return Answered("refused", error, sent=False)
        except AstrioError as error:
            return _failed(error, heard, request)
        return Answered("accepted", answer=answer)

    def body(self, answer: Answer) -> Any:
        """Return an answer's body.

        Raises:
            ApiAnswerError: it cannot be read.
        """
        return self._answers.anew().decode(answer)


def _failed(error: AstrioError, heard: Heard, request: ApiRequest) -> Answered:
    answer, verdict = heard.answer, heard.verdict
    if isinstance(error, CredentialsError) and not isinstance(error, ForbiddenError):
        return Answered("denied", error, answer, fatal=True)
    if isinstance(error, RefusedError) and 300 <= error.status < 400:
        return Answered("denied", error, answer, fatal=True)
    if error.__cause__ is not None:
        return _without_answer(error, request)
    if verdict is not None:
        return _judged(error, answer, verdict)
    if answer is None or 200 <= answer.status < 300:
        # It was accepted, but its answer is too large, or cannot be read.
        unclear = isinstance(error, ApiAnswerError)
        return Answered("unknown", error, answer, fatal=not unclear)
    return _by_status(error, answer, request)


def _judged(error: AstrioError, answer: Answer | None, verdict: Verdict) -> Answered:
    fatal = verdict.repeat or isinstance(error, ApiUnavailableError)
    return Answered("faulty" if fatal else "refused", error, answer, fatal=fatal, sent=not fatal)


def _by_status(error: AstrioError, answer: Answer, request: ApiRequest) -> Answered:
    status = answer.status
    if isinstance(error, WaitTooLongError) or status in _NOT_CARRIED_OUT:
        return Answered("faulty", error, answer, fatal=True, sent=False)
    if status == 413:
        return Answered("too_large", error, answer)
    if status == 403 or status in _DENIED:
        return Answered("denied", error, answer)
    if status >= 500:
        return Answered("faulty" if request.repeatable else "unknown", error, answer)
    return Answered("refused", error, answer)


def _without_answer(error: AstrioError, request: ApiRequest) -> Answered:
    if isinstance(error, OutcomeUnknownError):
        return Answered("unknown", error)
    # What may be repeated was, in vain; the rest has not arrived: the API cannot be reached.
    return Answered("faulty", error, fatal=True, sent=request.repeatable)
