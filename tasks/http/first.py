"""The first page's request: the file's `request`, variables filled in, the window attached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.request import ApiRequest, BodyKind
from astrio.tasks.incremental import Window, format_bound
from astrio.tasks.mapping.parser import PLACEHOLDER
from astrio.tasks.mapping.template import render
from astrio.tasks.settings import IncrementalSettings, RequestSettings


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
        ConfigurationError: a placeholder cannot be filled in, or a bound not be formatted.
    """
    kind, body = _body(settings)
    headers = {name: str(render(text, variables)) for name, text in settings.headers.items()}
    request = ApiRequest(
        method=settings.method,
        url=_path(settings.path, variables),
        params=dict(render(settings.params, variables)),
        headers=headers,
        body=render(body, variables),
        body_kind=kind,
        idempotent=settings.idempotent,
    )
    return request if incremental is None else _bounded(request, window, incremental)


def _path(path: str, variables: Mapping[str, Any]) -> str:
    """Fill in a path; a value with / or ? in it stays one segment, and none is left empty."""

    def segment(placeholder: str) -> str:
        value = render(placeholder, variables)
        if value is None or value == "":
            raise ConfigurationError(
                f"{placeholder} in the path {path!r} is empty.", advice="Give it a value in vars."
            )
        return quote(str(value), safe="")

    return PLACEHOLDER.sub(lambda match: segment(match.group()), path)


def _body(settings: RequestSettings) -> tuple[BodyKind, Any]:
    if settings.form is not None:
        return "form", settings.form
    if settings.text is not None:
        return "text", settings.text
    return "json", settings.body


def _bounded(request: ApiRequest, window: Window, incremental: IncrementalSettings) -> ApiRequest:
    for name, bound in ((incremental.param, window.start), (incremental.end_param, window.end)):
        if name is not None and bound is not None:
            value = format_bound(bound, incremental.format)
            request = request.with_value(incremental.in_, name, value)
    return request
