"""One call: a record through an action, one request, one answer. Free of Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import httpx
import msgspec

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.actions.judging import judged
from astrio.tasks.actions.rendering import connection_of, masked, request_of, scope_of
from astrio.tasks.actions.settings import ActionFile
from astrio.tasks.answers import Answers
from astrio.tasks.http.answer import Answer
from astrio.tasks.http.client import ApiClient, describe_request
from astrio.tasks.http.credentials import Signing
from astrio.tasks.http.encoding import encode_body, with_params
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.http.upload import Upload
from astrio.tasks.mapping.context import MappingContext

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Called:
    """The answer to a call.

    Attributes:
        status: the HTTP status.
        milliseconds: how long the last attempt took.
        request: method and URL, secrets masked.
        headers: of the answer.
        content: the answer's body, decompressed.
    """

    status: int
    milliseconds: int
    request: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body's value.

        Raises:
            ValueError: it is no JSON.
        """
        return msgspec.json.decode(self.content)

    @property
    def excerpt(self) -> str:
        """At most 2,000 characters of the body, secrets masked."""
        return excerpt(self.content)


class CallFailedError(Exception):
    """A call failed.

    Attributes:
        error: why.
        answer: the last answer, None if there was none.
        milliseconds: how long the last attempt took, None if nothing was sent.
    """

    def __init__(self, error: AstrioError, answer: Answer | None, milliseconds: int | None) -> None:
        """Take what is known."""
        super().__init__(error.message)
        self.error = error
        self.answer = answer
        self.milliseconds = milliseconds


@dataclass(frozen=True, slots=True)
class Preview:
    """A request that would be sent, secrets masked."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


class _Client(ApiClient):
    """Remembers the last answer, and how long it took."""

    answer: Answer | None = None
    milliseconds: int | None = None

    async def _exchange(
        self, request: ApiRequest, url: httpx.URL, signing: Signing, *, spool: bool
    ) -> Answer:
        self.answer, began = None, perf_counter()
        try:
            self.answer = await super()._exchange(request, url, signing, spool=spool)
        finally:
            self.milliseconds = round((perf_counter() - began) * 1000)
        return self.answer


async def call(
    file: ActionFile, data: Mapping[str, Any], *, started: datetime | None = None
) -> Called:
    """Send one request for a record, and return its answer.

    Args:
        file: the action, and what happens to the record before.
        data: the record.
        started: what `{{timestamp}}` and `now()` are, UTC; now if not given.

    Raises:
        AstrioError: the record is rejected, or the call failed; as `ApiClient.send`.
    """
    try:
        return await attempt(file, data, started=started)
    except CallFailedError as failure:
        raise failure.error from failure.error.__cause__


async def attempt(
    file: ActionFile, data: Mapping[str, Any], *, started: datetime | None = None
) -> Called:
    """Send as `call`.

    Raises:
        AstrioError: the record is rejected, or the request cannot be made; nothing was sent.
        CallFailedError: it was sent, or was about to be.
    """
    context = MappingContext(started or datetime.now(UTC))
    record = judged(file, _object(data), context)
    api, path = connection_of(file.action)
    request = request_of(file.action, path, scope_of(record, file.vars, context))
    answers = Answers(file.action.response, "$", context, api.limits)
    client = _Client(api, retry=file.retry, errors=file.errors)
    async with client:
        try:
            answer = await client.send(request, answers=answers if answers.judges else None)
        except AstrioError as error:
            raise CallFailedError(error, client.answer, client.milliseconds) from error.__cause__
        label = describe_request(request.method, answer.url, None)
        taken = client.milliseconds or 0
        return Called(answer.status, taken, label, answer.headers, _content(answer))


def preview(
    file: ActionFile, data: Mapping[str, Any], *, started: datetime | None = None
) -> Preview:
    """Return the request that `call` would send, without credentials; no secret is read.

    Raises:
        AstrioError: the record is rejected, or the request cannot be made.
    """
    context = MappingContext(started or datetime.now(UTC))
    record = judged(file, _object(data), context)
    api, path = connection_of(file.action, masked)
    request = request_of(file.action, path, scope_of(record, file.vars, context), masked)
    return shown(api, request)


def shown(api: RestApi, request: ApiRequest) -> Preview:
    """Return a request, made with `masked`, as it may be looked at.

    Raises:
        ConfigurationError: its body cannot be made.
    """
    content, headers = encode_body(request)
    query = str(with_params(httpx.URL("/"), request.params, request.arrays, filled=True))
    url = joined(api.base_url, request.url)
    if request.params:
        url += ("&" if "?" in url else "?") + query.partition("?")[2]
    own = {name.lower() for name in request.headers}
    usual = {name: value for name, value in headers.items() if name.lower() not in own}
    told = {**usual, **request.headers}
    return Preview(
        request.method,
        redact(url),
        {name: _shown(name, value) for name, value in told.items()},
        _body(content),
    )


def joined(base: str, path: str) -> str:
    """Return the URL of a path below a base URL."""
    if not path or path.startswith("?"):
        return base + path
    return f"{base.rstrip('/')}/{path.lstrip('/')}"


def excerpt(content: bytes) -> str:
    """Return at most 2,000 characters of a body, secrets masked."""
    text = redact(content[: 8 * _LONGEST].decode(errors="replace"))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ConfigurationError(
            "A call takes one record: a JSON object.", advice="""Write e.g. {"user": {"id": 7}}."""
        )
    return data


def _content(answer: Answer) -> bytes:
    if answer.file is None:
        return answer.content
    with answer.file:
        answer.file.seek(0)
        return answer.file.read()


def _shown(name: str, value: str) -> str:
    """Return a header's value, masked by its name too."""
    _, colon, rest = redact(f"{name}: {value}").partition(": ")
    return rest if colon else value


def _body(content: bytes | Upload | None) -> str | None:
    if content is None:
        return None
    if isinstance(content, Upload):
        return f"({content.size:,} bytes)"
    try:
        return redact(content.decode())
    except UnicodeDecodeError:
        return f"({len(content):,} bytes)"
