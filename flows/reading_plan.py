"""What of an integration's source is read by one run, and from where on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from astrio.flows.integration import Integration
from astrio.flows.resuming import ResumePoint
from astrio.tasks.answers import Answers
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.http.first import build_first_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.read_plan import ReadPlan, place_of, request_of
from astrio.tasks.windows import windows_of


def reading_plan(
    integration: Integration, window: Window, context: MappingContext, limit: int | None = None
) -> ReadPlan:
    """Return the plan that reads a window from its start.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or the window not be cut.
    """
    source, incremental = integration.source, integration.source.incremental

    def first(part: Window) -> ApiRequest:
        scope = {"timestamp": context.now.isoformat(), **integration.vars}
        asked = build_first_request(source.request, scope, part, incremental)
        return source.paginate.first(asked)

    cap = source.paginate.cap
    windows = windows_of(incremental, window, cap, first) if incremental else None
    token = incremental.token if incremental else None
    return ReadPlan(
        first=first(window if windows is None else windows.first()),
        paginator=source.paginate,
        records=source.records,
        allow_missing=source.allow_missing,
        keep=_filter(source.filter, context),
        cursor=CursorReader.of(incremental, window) if incremental else None,
        windows=windows,
        token=token,
        anew=first(Window()) if token and window.start is not None else None,
        expired=incremental.expired_status if incremental else (),
        limit=limit,
        answers=Answers(source.response, source.records, context, source.connection.limits),
    )


def resumed(plan: ReadPlan, point: ResumePoint, *, may_restart: bool) -> ReadPlan:
    """Return the plan of the rest of an unfinished run."""
    return replace(
        plan,
        resume=None if point.request is None else request_of(point.request),
        place=None if point.request is None else place_of(point.request),
        ended=point.stop_reason if point.request is None else None,
        pages_before=point.pages,
        received_before=point.records["fetched"],
        may_restart=may_restart,
        claimed=point.records["claimed"],
    )


def _filter(text: str | None, context: MappingContext) -> Callable[[Any], Any] | None:
    return None if text is None else compile_expression(text, context)
