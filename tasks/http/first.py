"""The first page's request: the file's `request`, variables filled in, the window attached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.marks import Marks
from astrio.tasks.http.request import ApiRequest, BodyKind
from astrio.tasks.incremental import Window, format_bound, sent_bounds
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.parser import PLACEHOLDER
from astrio.tasks.mapping.template import render
from astrio.tasks.settings import GraphQLSettings, RequestContent, RequestSettings

Fill = Callable[[Any], Any]
_DATA = ("parent", "event")
KEY_HEADER = "Idempotency-Key"
_PLAIN_KINDS: tuple[BodyKind, ...] = ("form", "text", "multipart", "file", "base64")


def build_first_request(
    settings: RequestSettings,
    variables: Mapping[str, Any],
    window: Window,
    incremental: IncrementalSettings | None,
) -> ApiRequest:
    """Return the request for the first page, before the paginator adds its parameters.

    Args:
        settings: `source.request`.
        variables: what `{{name}}` stands for; in a path each value becomes one encoded segment.
        window: the run's window.
        incremental: `source.incremental`; None: no bounds are sent.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or a bound not be formatted; or a
            parent or an event would bring a reference to a secret into the request.
    """
    request = build_request(settings, settings.path, variables)
    _refuse_references(settings, request, variables)
    return request if incremental is None else _bounded(request, window, incremental)


def build_request(
    settings: RequestContent,
    path: str,
    variables: Mapping[str, Any],
    context: MappingContext | None = None,
) -> ApiRequest:
    """Return a request with its placeholders filled in.

    Args:
        settings: what is sent.
        path: below the connection's base URL; in it each value becomes one encoded segment.
        variables: what expressions may name.
        context: the clock of `now()`; by default this moment.

    Raises:
        ConfigurationError: a placeholder cannot be filled in.
    """
    fill = partial(render, scope=variables, context=context)
    kind, body = _body(settings, fill)
    headers = {name: str(fill(text)) for name, text in settings.headers.items()}
    key = settings.idempotency_key
    return ApiRequest(
        method="POST" if settings.graphql else settings.method,
        url=_path(path, fill),
        params=dict(fill(settings.params)),
        headers=headers,
        body=body,
        body_kind=kind,
        idempotent=settings.idempotent or _only_asks(settings.graphql),
        content_type=fill(settings.content_type),
        arrays=settings.arrays,
        key_header=KEY_HEADER if key is True else key or None,
    )


def _refuse_references(
    settings: RequestSettings, request: ApiRequest, variables: Mapping[str, Any]
) -> None:
    """Let no text of a record be taken for a reference, whose secret would be sent."""
    if not any(name in variables for name in _DATA) or not request.references():
        return
    marks = Marks(str)
    written: RequestSettings = marks.put(settings)
    scope = {name: each if name in _DATA else marks.put(each) for name, each in variables.items()}
    found = build_request(written, written.path, scope).references()
    if found:
        kind, name = min(found)
        raise ConfigurationError(
            f"A record holds the text ${{{kind}:{name}}}, which would be taken for a reference to "
            "a secret in the request; nothing was sent for it.",
            advice="Leave the field out of the request, or put it into the path, where it is text.",
        )


def _path(path: str, fill: Fill) -> str:
    """Fill in a path; a value with / or ? in it stays one segment, and none is left empty."""

    def segment(placeholder: str) -> str:
        value = fill(placeholder)
        if value is None or value == "":
            raise ConfigurationError(
                f"{placeholder} in the path {path!r} is empty.", advice="Give it a value in vars."
            )
        if str(value) in (".", ".."):
            raise ConfigurationError(f"{placeholder} in the path {path!r} is {value!r}.")
        return quote(str(value), safe="")

    return PLACEHOLDER.sub(lambda match: segment(match.group()), path)


def _body(settings: RequestContent, fill: Fill) -> tuple[BodyKind, Any]:
    """Return the kind and the filled-in values of whichever body the file gives."""
    if settings.graphql is not None:
        return "json", fill(_operation(settings.graphql))
    if settings.xml is not None:
        return "xml", _xml(settings.xml, fill)
    for kind in _PLAIN_KINDS:
        value = getattr(settings, kind)
        if value is not None:
            if kind == "multipart":
                dumped = settings.model_dump(
                    include={"multipart"}, by_alias=True, exclude_none=True
                )
                value = dumped[kind]
            filled = fill(value)
            if kind == "multipart":
                _keep_parts(value, filled)
            return kind, filled
    return "json", fill(settings.body)


def _keep_parts(written: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    """Let no value become a part by itself: as one, it could name a file of this machine."""
    for name, value in written.items():
        pairs = zip(value, filled[name], strict=True) if isinstance(value, list) else ()
        for template, made in (*pairs, (value, filled[name])):
            items = made if isinstance(made, list) else [made]
            if isinstance(template, str) and any(isinstance(each, Mapping) for each in items):
                raise ConfigurationError(
                    f"{template} in the form field {name!r} is an object.",
                    advice="Write {json: …} for a part that holds JSON.",
                )


def _operation(graphql: GraphQLSettings) -> dict[str, Any]:
    """Return the body that GraphQL over HTTP asks for."""
    body: dict[str, Any] = {"query": graphql.query, "variables": graphql.variables}
    return {**body, "operationName": graphql.operation} if graphql.operation else body


def _only_asks(graphql: GraphQLSettings | None) -> bool:
    """Whether a GraphQL document holds queries only, which may be posted again."""
    return graphql is not None and not re.search(r"\b(mutation|subscription)\b", graphql.query)


def _xml(text: str, fill: Fill) -> str:
    """Fill in an XML body; a value with < or & in it stays text."""

    def escaped(placeholder: str) -> str:
        value = fill(placeholder)
        return "" if value is None else escape(str(value), {'"': "&quot;", "'": "&apos;"})

    return PLACEHOLDER.sub(lambda match: escaped(match.group()), text)


def _bounded(request: ApiRequest, window: Window, incremental: IncrementalSettings) -> ApiRequest:
    if incremental.token is not None:
        return _from_token(request, window.start, incremental)
    sent = sent_bounds(incremental, window)
    for name, bound in ((incremental.param, sent.start), (incremental.end_param, sent.end)):
        if name is not None and bound is not None:
            value = format_bound(bound, incremental.bound_format, incremental.timezone)
            request = request.with_value(incremental.in_, name, value)
    return request


def _from_token(request: ApiRequest, token: Any, incremental: IncrementalSettings) -> ApiRequest:
    """Go on from what the last run's token, or URL, stands for."""
    if token is None:
        return request
    if incremental.param is None:
        return replace(request, url=str(token), params={})
    return request.with_value(incremental.in_, incremental.param, token)
