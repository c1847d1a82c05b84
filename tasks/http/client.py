"""The HTTP client of a run: one connection pool, retries, a size cap, advice for every failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import random as unit_random
from time import monotonic, perf_counter
from types import TracebackType

import httpx
from tenacity import AsyncRetrying, stop_after_attempt

from astrio.blocks.api import RestApi, Timeouts
from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    WaitTooLongError,
)
from astrio.blocks.redaction import redact
from astrio.tasks.answers import Answers
from astrio.tasks.http.advice import RefusedError, status_error
from astrio.tasks.http.answer import Answer
from astrio.tasks.http.body import read_body, spool_body
from astrio.tasks.http.credentials import Signing, credentials_of
from astrio.tasks.http.encoding import encode_body, header_values, with_params
from astrio.tasks.http.faults import WIRE_ERRORS, wire_failure
from astrio.tasks.http.limiter import limiter_of
from astrio.tasks.http.origins import Origins
from astrio.tasks.http.quota import asked_wait, exhausted_for
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.http.retry import AttemptFailedError, RetryPolicy
from astrio.tasks.http.session import open_session
from astrio.tasks.http.stats import RequestStats
from astrio.tasks.settings import RetrySettings

__all__ = ["Answer", "ApiClient", "describe_request"]
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_LABEL = 300


class ApiClient:
    """Sends requests to one API. Use it as an async context manager, or call `aclose()`.

    Attributes:
        stats: how many requests were sent, and how long they took.
        api: the connection.
    """

    def __init__(  # noqa: PLR0913 (clock, sleep and chance are passed in)
        self,
        api: RestApi,
        *,
        retry: RetrySettings | None = None,
        errors: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = unit_random,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Resolve the connection's secrets; nothing is sent yet.

        Args:
            api: the connection.
            retry: how failed requests are repeated.
            errors: the integration's own advice by HTTP status.
            now: tells the time, in UTC.
            sleep: waits for so many seconds.
            random: a number in [0, 1), for the jitter.
            gate: lets one request after the other pass, beside the connection's own limit.

        Raises:
            ConfigurationError: a referenced variable is not set, or the base URL is none.
        """
        self.api = api
        self._opened = monotonic()
        self.stats = RequestStats(random)
        self._origins = Origins(api)
        self._policy = RetryPolicy(retry or RetrySettings(), random)
        self._errors = errors or {}
        self._now = now
        self._session = open_session(api)
        self._credentials = credentials_of(api)
        self._limiter = limiter_of(api, sleep)
        self._gate = gate
        self._retrying = AsyncRetrying(
            retry=self._policy.should_repeat,
            stop=stop_after_attempt(self._policy.settings.max_retries + 1),
            wait=self._policy.wait,
            sleep=sleep,
            before_sleep=lambda _: self.stats.count_retry(),
            reraise=True,
        )

    async def __aenter__(self) -> ApiClient:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()

    @property
    def deadline(self) -> float | None:
        """Seconds that the whole run may take, `timeout.run`; None: as long as it needs."""
        timeout = self.api.timeout
        return timeout.run if isinstance(timeout, Timeouts) else None

    def seconds_left(self) -> float | None:
        """Return how long the run may still take; None: as long as it needs."""
        whole = self.deadline
        return None if whole is None else max(whole - (monotonic() - self._opened), 0)

    def check(self, request: ApiRequest) -> None:
        """Refuse a request that may not be sent, before its position is stored.

        Raises:
            ApiAnswerError: it leads to an origin that the connection does not allow.
            ConfigurationError: its path climbs out of the base URL.
        """
        self._origins.resolve(request.url)

    async def send(
        self, request: ApiRequest, *, page: int | None = None, answers: Answers | None = None
    ) -> Answer:
        """Send a request, repeating it as the settings say, and return its successful answer.

        Args:
            request: what to send.
            page: its number, for messages.
            answers: judges answers by their body too; None: by their status alone.

        Raises:
            ConfigurationError: a referenced variable is not set, or the request cannot be sent.
            CredentialsError: the API refused the credentials (401, 403).
            ApiUnavailableError: it stayed unreachable, failing or over its limit.
            ApiAnswerError: the answer cannot be used: another status, too large, a redirect to
                another origin.
        """
        try:
            request = request.keyed().accepting(answers.accept(self.api) if answers else None)
            url = with_params(
                self._origins.resolve(request.url),
                request.params,
                request.arrays,
                filled=request.filled,
            )
        except AstrioError as error:
            error.request = error.request or describe_request(request.method, request.url, page)
            raise
        # Made for messages only, as masking takes its time.
        label = cache(lambda: describe_request(request.method, url, page))
        retrying = self._retrying.copy()  # its state belongs to one call
        try:
            return await retrying(self._attempt, request, url, label, answers)
        except AttemptFailedError as failure:
            if self._policy.waits_too_long(failure):
                raise self._too_long(failure) from None
            attempts = retrying.statistics["attempt_number"]
            raise failure.after(attempts) from failure.__cause__

    async def _attempt(
        self,
        request: ApiRequest,
        url: httpx.URL,
        label: Callable[[], str],
        answers: Answers | None,
    ) -> Answer:
        try:
            answer = await self._signed(request, url, answers)
            verdict = answers.judge(answer, label) if answers else None
        except AstrioError as error:
            error.request = error.request or label()
            raise
        except WIRE_ERRORS as error:
            raise wire_failure(error, request, label()) from error
        if verdict is None and 200 <= answer.status < 300:
            await self._heed(answer)
            return answer
        asked = asked_wait(answer.status, answer.headers, answer.content, self._now())
        if verdict is not None:
            asked = asked if verdict.repeat else None
            raise AttemptFailedError(verdict.error, repeat=verdict.repeat, asked=asked)
        kind = answer.headers.get("content-type", "")
        told = status_error(answer.status, answer.content, kind, label(), self._errors)
        repeat = self._policy.repeats_status(request, answer.status, asked)
        if repeat and asked and asked * 1000 <= self._policy.settings.max_wait:
            await self._limiter.refused(asked)
        raise AttemptFailedError(told, repeat=repeat, asked=asked if repeat else None)

    async def _signed(self, request: ApiRequest, url: httpx.URL, answers: Answers | None) -> Answer:
        """Send it; once more if the answer says that its token has lapsed and there is another."""
        spool = answers is not None and answers.decoding.in_pieces
        signing = await self._credentials.signing()
        answer = await self._follow(request, url, signing, spool=spool)
        refused = answers is not None and answers.refuses_credentials(answer)
        status = 401 if refused else answer.status
        other = await self._credentials.after(signing, status, answer.headers, answer.content)
        return answer if other is None else await self._follow(request, url, other, spool=spool)

    async def _follow(
        self, request: ApiRequest, url: httpx.URL, signing: Signing, *, spool: bool
    ) -> Answer:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self._exchange(request, url, signing, spool=spool)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            if answer.status < 307 and request.method not in ("GET", "HEAD"):
                raise RefusedError(
                    f"The API redirects the {request.method} with {answer.status}, which would "
                    "turn it into a GET.",
                    advice="Put the final address into base_url and path.",
                    request=None,
                    status=answer.status,
                )
            url = self._origins.follow(url, location)
        raise ApiAnswerError(
            f"The API redirects more than {_MOST_REDIRECTS} times.",
            advice="Put the final address into base_url and path.",
        )

    async def _exchange(
        self, request: ApiRequest, url: httpx.URL, signing: Signing, *, spool: bool
    ) -> Answer:
        content, described = encode_body(request)
        headers = httpx.Headers(described)
        headers.update(header_values(request.headers, filled=request.filled))
        prepared = self._session.build_request(
            request.method, url, headers=headers, content=content
        )
        await self._pass()
        began = perf_counter()
        try:
            response = await self._session.send(
                prepared, stream=True, auth=signing.auth or httpx.USE_CLIENT_DEFAULT
            )
            try:
                if spool and response.is_success:
                    body, file = await spool_body(response, self.api.limits.max_download_bytes)
                else:
                    limit = self.api.limits.max_response_bytes
                    body, file = await read_body(response, limit), None
            finally:
                await response.aclose()
        finally:
            self.stats.add(perf_counter() - began)
        return Answer(response.status_code, response.headers, body, str(url), file)

    async def _pass(self) -> None:
        await self._limiter.turn()
        if self._gate is not None:
            await self._gate()

    async def _heed(self, answer: Answer) -> None:
        """Let no request be sent before there is quota again, if the answer says it is used up.

        A longer wait than the run may spend is left to the next refusal, which tells it.
        """
        wait = exhausted_for(answer.headers, self._now())
        paced = self.api.auth.paces_itself
        if wait and not paced and wait * 1000 <= self._policy.settings.max_wait:
            await self._limiter.block(wait)

    def _too_long(self, failure: AttemptFailedError) -> ApiUnavailableError:
        assert failure.asked is not None
        until = self._now() + timedelta(seconds=min(failure.asked, 10**9))
        error = failure.error
        return WaitTooLongError(
            f"{error.message.rstrip('.')}. It asks to wait {failure.asked:,.0f} s, until "
            f"{until:%Y-%m-%d %H:%M:%S} UTC, which is longer than retry.max_wait.",
            advice="Run again after that time, or raise retry.max_wait (milliseconds).",
            request=error.request,
            until=until,
        )


def describe_request(method: str, url: httpx.URL | str, page: int | None) -> str:
    """Return e.g. `GET https://host/orders?page=3 (page 3)`, without secrets."""
    text = redact(f"{method} {url}")
    short = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return short if page is None else f"{short} (page {page})"
