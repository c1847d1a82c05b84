"""The first page's request: the file's `request`, variables filled in, the window attached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from astrio.tasks.http.request import ApiRequest, BodyKind
from astrio.tasks.incremental import Window, format_bound
from astrio.tasks.mapping.template import render
from astrio.tasks.paginate.parameters import with_parameters
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
        ConfigurationError: a placeholder names no variable.
    """
    segments = {name: quote(str(value), safe="") for name, value in variables.items()}
    kind, body = _body(settings)
    request = ApiRequest(
        method=settings.method,
        url=str(render(settings.path, segments)),
        params=render(settings.params, variables),
        headers={name: str(render(text, variables)) for name, text in settings.headers.items()},
        body=render(body, variables),
        body_kind=kind,
        idempotent=settings.idempotent,
    )
    if incremental is None:
        return request
    return with_parameters(request, _bounds(incremental, window), incremental.in_)


def _body(settings: RequestSettings) -> tuple[BodyKind, Any]:
    if settings.form is not None:
        return "form", settings.form
    if settings.text is not None:
        return "text", settings.text
    return "json", settings.body


def _bounds(incremental: IncrementalSettings, window: Window) -> dict[str, Any]:
    bounds = {incremental.param: window.start}
    if incremental.end_param is not None:
        bounds[incremental.end_param] = window.end
    return {
        name: format_bound(value, incremental.format)
        for name, value in bounds.items()
        if value is not None
    }
