"""A job on its way: created, asked after, cleaned up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    RecordRejectedError,
)
from astrio.tasks.answers import Answers, message_of
from astrio.tasks.durations import parse_duration
from astrio.tasks.export.plan import Export
from astrio.tasks.export.settings import ExportSettings, ExportStep
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.http.client import ApiClient, describe_request
from astrio.tasks.http.first import build_first_request
from astrio.tasks.http.quota import retry_after
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.paths import compile_path
from astrio.tasks.secrecy import refuse_references
from astrio.tasks.settings import RequestSettings, ResponseSettings

_GROWTH: Final = 1.5
_CLEANING_SECONDS: Final = 10.0
_JSON: Final = ResponseSettings(format="json")


class Job:
    """One job of an API.

    Attributes:
        client: asks the API.
        created: the answer that created the job, once `create` has returned.
    """

    def __init__(self, client: ApiClient, export: Export, first: ApiRequest) -> None:
        """Take what asks, what follows, and the request that creates the job."""
        self.client = client
        self._export = export
        self._settings = export.settings
        self._first = first
        self._answers = Answers(_JSON)
        self._headers: Mapping[str, str] = {}
        self._known = first.references() | _told(export.settings).references()
        self.created: Any = None

    async def create(self) -> None:
        """Create the job.

        Raises:
            AstrioError: the API did not.
        """
        answer = await self.client.send(self._first, answers=self._answers)
        self._headers = answer.headers
        self.created = self._answers.decode(answer) if answer.content.strip() else None

    async def wait(self) -> Any:
        """Ask until the job is done, and return the answer that says so.

        Raises:
            ApiAnswerError: the job has failed, or an answer cannot be understood.
            ApiUnavailableError: it took too long.
        """
        request = self.request(self._settings.poll)
        pause = parse_duration(self._settings.every).total_seconds()
        longest = parse_duration(self._settings.longest_pause).total_seconds()
        end = monotonic() + parse_duration(self._settings.timeout).total_seconds()
        while True:
            body, asked = await self._asked(request)
            if body is not None and self._is_done(body, request):
                return body
            wait = min(pause, longest) if asked is None else asked
            if monotonic() + wait > end:
                raise ApiUnavailableError(
                    f"The job is not done after {self._settings.timeout}.",
                    advice="Raise source.export.timeout, or check `done` against the API's answer.",
                    request=describe_request(request.method, request.url, None),
                )
            await asyncio.sleep(wait)
            pause *= _GROWTH

    async def clean(self) -> None:
        """Delete the job; a failure is harmless to what was read."""
        if self._settings.cleanup is None or (self.created is None and not self._headers):
            return
        with suppress(AstrioError, TimeoutError):
            async with asyncio.timeout(_CLEANING_SECONDS):
                await self.client.send(self.request(self._settings.cleanup))

    def request(self, step: ExportStep) -> ApiRequest:
        """Return the request of a step.

        Raises:
            ApiAnswerError: the answer that created the job lacks the URL, or asks for secrets.
            ConfigurationError: a placeholder cannot be filled in.
        """
        settings = RequestSettings(
            method=step.method, path=step.path or "", params=step.params, body=step.body
        )
        scope = {**self._export.scope, "job": self.created}
        request = build_first_request(settings, scope, Window(), None)
        if step.path is None:
            request = replace(request, url=self._url(step))
        refuse_references(request, self._known)
        return request

    def _url(self, step: ExportStep) -> str:
        if step.header is not None:
            found = self._headers.get(step.header)
        else:
            found = compile_path(step.url or "$").first(self.created)
        if not isinstance(found, str) or not found:
            place = f"header {step.header}" if step.header else f"path {step.url}"
            raise ApiAnswerError(
                f"The answer that created the job has no URL at {place}.",
                advice="Correct source.export.",
            )
        return found

    async def _asked(self, request: ApiRequest) -> tuple[Any, float | None]:
        """Return an answer's body, None if the job is not known yet, and the wait it asks for."""
        try:
            answer = await self.client.send(request, answers=self._answers)
        except RefusedError as error:
            if error.status in self._settings.pending_status:
                return None, None
            raise
        wait = retry_after(answer.headers, datetime.now(UTC))
        return self._answers.decode(answer) if answer.content.strip() else None, wait

    def _is_done(self, body: Any, request: ApiRequest) -> bool:
        label = describe_request(request.method, request.url, None)
        try:
            if self._export.failed is not None and self._export.failed(body):
                said = message_of(body, self._settings.error)
                raise ApiAnswerError(
                    "The job has failed" + (f": {said}" if said else "."),
                    advice="Look the job up at the API, then run again.",
                    request=label,
                )
            return bool(self._export.done(body))
        except RecordRejectedError as error:
            raise ApiAnswerError(
                f"source.export.done or failed cannot be evaluated: {error.message}",
                advice="Correct the expression.",
                request=label,
            ) from None


def _told(settings: ExportSettings) -> ApiRequest:
    """Return what the file itself writes, for the references in it."""
    return ApiRequest("GET", "", body=settings.model_dump(mode="json"))
