"""What a source written in Python is given to work with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import is_reference, resolve
from astrio.tasks.answers import Answers
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.secrecy import refuse_references
from astrio.tasks.settings import Method

# Prefect takes what is logged here into the run's log, without Prefect being imported here.
_logger = logging.getLogger("prefect.task_runs")


def _log(text: str) -> None:
    _logger.info("%s", text)


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A successful answer of the API.

    Attributes:
        status: such as 200.
        headers: their names in any case.
        url: what was asked, without secrets that the authentication adds.
        body: decoded: JSON values, or the records of CSV, XML and the like.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    body: Any


class SourceApi:
    """The API that the file names under `source.api`: its authentication, retries and limits."""

    def __init__(self, session: ApiClient) -> None:
        """Take the open session."""
        self._session = session
        self._answers = Answers(limits=session.api.limits)

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SourceAnswer:
        """Ask for a path below the base URL, or for a whole URL of the same origin.

        Raises:
            AstrioError: see `request`.
        """
        return await self.request("GET", path, params=params, headers=headers)

    async def request(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> SourceAnswer:
        """Send a request and return its successful answer.

        A POST or PATCH is sent once, anything else is repeated as `retry` says.

        Raises:
            RefusedError: the API answered with another status, its `status`.
            AstrioError: it cannot be reached, or its answer cannot be used. An error that the
                source does not catch ends the run.
        """
        request = ApiRequest(method, path, dict(params or {}), dict(headers or {}), json)
        refuse_references(request, frozenset())
        answer = await self._session.send(request, answers=self._answers)
        body = self._answers.decode(answer)
        return SourceAnswer(answer.status, answer.headers, answer.url, body)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source written in Python is called with.

    Attributes:
        start: the lower bound of this run, as the records' cursor is written; None: everything.
            The lookback is taken off already.
        end: the upper bound, fixed when the run started; None: the source is not incremental.
        watermark: the saved mark itself; None on the first run.
        now: when the run started, with its zone.
        vars: the file's `vars`.
    """

    now: datetime
    start: Any = None
    end: Any = None
    watermark: Any = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    _session: ApiClient | None = None
    _write: Callable[[str], None] = _log

    @property
    def api(self) -> SourceApi:
        """The API of `source.api`.

        Raises:
            ConfigurationError: the file names none.
        """
        if self._session is None:
            raise ConfigurationError(
                "The source asks for its API, but the file has no `source.api`.",
                advice="Name a connection beside `python`.",
            )
        return SourceApi(self._session)

    def secret(self, reference: str) -> str:
        """Return the value of `${env:NAME}` or `${secret:NAME}`; no output of astrio shows it.

        Raises:
            ConfigurationError: it is no such reference, or there is no such variable or secret.
        """
        return read_secret(reference)

    def note(self, text: str) -> None:
        """Write a line into the run's log; secrets in it are masked."""
        self._write(redact(text))


def read_secret(reference: str) -> str:
    """Return the value of a reference to a secret; raises as `SourceContext.secret`."""
    if not is_reference(reference):
        raise ConfigurationError(
            "context.secret() takes a reference to a secret.",
            advice="Write ${env:NAME} or ${secret:NAME}.",
        )
    return resolve(reference)
