"""From an action and a record to the connection and the request that are sent.

References are filled in here, and only in what the author of the action wrote: a record whose text
is `${env:NAME}` is sent with that text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from astrio.blocks.api import RestApi, check_base_url
from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import REFERENCE, resolve
from astrio.tasks.actions.settings import Action, split_url
from astrio.tasks.http.first import build_request
from astrio.tasks.http.marks import Marks
from astrio.tasks.http.request import ApiRequest, FilledRequest
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.settings import RequestContent

Fill = Callable[[str], str]
_CONTENT: Final = (
    "params", "headers", "body", "form", "text", "xml", "multipart", "file", "base64", "graphql",
    "content_type",
)  # fmt: skip
_FORM = "application/x-www-form-urlencoded"
_QUOTES = {'"': "&quot;", "'": "&apos;"}


def masked(_: str) -> str:
    """Stand for a reference in what is shown."""
    return MASK


def connection_of(action: Action, fill: Fill = resolve) -> tuple[RestApi, str]:
    """Return the connection to the action's host, and the path with its query, as written.

    Raises:
        ConfigurationError: a variable is not set, or the URL is none.
    """
    origin, path = split_url(action.url)
    filled = REFERENCE.sub(lambda found: fill(found.group()), origin).strip()
    if fill is masked and origin != filled:
        filled = origin  # for a look; references stay, and nothing is sent
    elif origin != filled:
        origin, rest = split_url(filled)
        # What a secret holds is neither a placeholder nor another reference.
        rest = rest.replace("{", "%7B").replace("}", "%7D")
        remember(rest.strip("/"))
        filled, path = origin, rest + path
    if fill is not masked:
        _check(filled)
    given = {name: getattr(action, name) for name in ("auth", "timeout", "limits", "tls", "proxy")}
    return RestApi(base_url=filled, allow_hosts=action.allow_hosts, **given), path


def scope_of(
    record: Mapping[str, Any], variables: Mapping[str, Any], context: MappingContext
) -> dict[str, Any]:
    """Return what expressions may name: the record's fields, then `vars`, then `timestamp`."""
    return {"timestamp": context.now.isoformat(timespec="seconds"), **variables, **record}


def request_of(
    content: RequestContent,
    path: str,
    scope: Mapping[str, Any],
    fill: Fill = resolve,
    context: MappingContext | None = None,
) -> ApiRequest:
    """Return the request for a record.

    Args:
        content: what is sent.
        path: of the URL, from `connection_of`.
        scope: what expressions may name.
        fill: returns what a reference stands for.
        context: the clock of `now()`; by default this moment.

    Raises:
        RecordRejectedError: a placeholder cannot be filled in from this record.
        ConfigurationError: a variable is not set.
    """
    return RequestTemplate(content, path, fill).request(scope, context)


class RequestTemplate:
    """What is sent for each record, its references told from what a record holds."""

    def __init__(self, content: RequestContent, path: str, fill: Fill = resolve) -> None:
        """Take what `request_of` takes."""
        self._marks = marks = Marks(fill)
        marked = {name: marks.put(getattr(content, name)) for name in _CONTENT}
        self._content = content.model_copy(update=marked)
        self._path = marks.put(path)

    def request(
        self, scope: Mapping[str, Any], context: MappingContext | None = None
    ) -> FilledRequest:
        """Return the request for a record; raises as `request_of`."""
        marks = self._marks
        try:
            request = _by_kind(build_request(self._content, self._path, scope, context))
        except ConfigurationError as error:
            told = f"{marks.written(error.message).rstrip('.')}. Nothing was sent."
            raise RecordRejectedError(told, advice=error.advice) from None
        xml = request.body_kind == "xml"
        filled = FilledRequest(**{each: getattr(request, each) for each in ApiRequest.__slots__})
        return replace(
            filled,
            url=marks.taken(request.url, lambda text: quote(text, safe="")),
            params=marks.taken(request.params),
            headers=marks.taken(request.headers),
            body=marks.taken(request.body, (lambda text: escape(text, _QUOTES)) if xml else str),
            content_type=marks.taken(request.content_type),
        )


def _by_kind(request: ApiRequest) -> ApiRequest:
    """Send a text as it is, and an object as the form that its Content-Type says."""
    if request.body_kind != "json":
        return request
    if isinstance(request.body, str):
        return replace(request, body_kind="text")
    kinds = [value for name, value in request.headers.items() if name.lower() == "content-type"]
    is_form = any(kind.partition(";")[0].strip().lower() == _FORM for kind in kinds)
    is_form = is_form and isinstance(request.body, Mapping)
    return replace(request, body_kind="form") if is_form else request


def _check(origin: str) -> None:
    try:
        check_base_url(origin)
    except ValueError as error:
        raise ConfigurationError(f"The action's url cannot be used: {error}.") from None
