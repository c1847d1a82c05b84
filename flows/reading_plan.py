"""What of an integration's source is read by one run, and from where on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from astrio.flows.integration import Integration
from astrio.flows.partitions import partition_fields
from astrio.flows.resuming import ResumePoint
from astrio.tasks.answers import Answers
from astrio.tasks.children.plan import Children, Marks, no_marks
from astrio.tasks.children.settings import ParentSettings
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.export.plan import Export
from astrio.tasks.export.settings import ExportSettings
from astrio.tasks.http.first import build_first_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.read_plan import ReadPlan, place_of, request_of
from astrio.tasks.windows import windows_of


@dataclass(frozen=True, slots=True)
class Partitions:
    """How far the children of each parent are read.

    Attributes:
        window: the window of a parent's children, given its watermark.
        marks: returns the watermarks of parents by their keys.
        advance: the new watermark from the old one and the highest cursor; None: it stays.
    """

    window: Callable[[Any], Window]
    marks: Callable[[list[str]], Awaitable[Marks]] = no_marks
    advance: Callable[[Any, Any], Any] | None = None


def reading_plan(
    integration: Integration,
    window: Window,
    context: MappingContext,
    limit: int | None = None,
    partitions: Partitions | None = None,
) -> ReadPlan:
    """Return the plan that reads a window from its start.

    Args:
        integration: what to read.
        window: the run's window.
        context: the clock.
        limit: stop after so many records.
        partitions: how far the children of each parent are read.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or the window not be cut.
    """
    scope = {"timestamp": context.now.isoformat(), **integration.vars}
    parent = integration.source.parent
    if parent is None:
        return replace(_slice(integration, window, context, scope), limit=limit)
    known = partitions or Partitions(lambda _: window)

    def part(record: Any, mark: Any) -> ReadPlan:
        return _slice(integration, known.window(mark), context, {**scope, "parent": record})

    parents = _parents(integration, parent, context, scope)
    children = Children(
        parents=parents,
        part=part,
        key=parent.key,
        include=parent.include,
        name=parent.as_,
        concurrency=parent.concurrency,
        missing=parent.missing_status,
        max_missing=parent.max_missing,
        marks=known.marks,
        advance=known.advance,
    )
    # The request as the file writes it: what its parents' data may not add to.
    told = replace(parents.first, body=integration.source.request.model_dump(mode="json"))
    return ReadPlan(told, integration.source.paginate, children=children, limit=limit)


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


def _slice(
    integration: Integration, window: Window, context: MappingContext, scope: Mapping[str, Any]
) -> ReadPlan:
    source, incremental = integration.source, integration.source.incremental

    def first(part: Window) -> ApiRequest:
        return source.paginate.first(build_first_request(source.request, scope, part, incremental))

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
        export=None if source.export is None else _export(source.export, context, scope),
        extra=partition_fields(integration),
        answers=Answers(source.response, source.records, context, source.connection.limits),
    )


def _export(settings: ExportSettings, context: MappingContext, scope: Mapping[str, Any]) -> Export:
    done = compile_expression(settings.done, context)
    return Export(settings, done, _filter(settings.failed, context), scope)


def _parents(
    integration: Integration,
    parent: ParentSettings,
    context: MappingContext,
    scope: Mapping[str, Any],
) -> ReadPlan:
    limits = integration.source.connection.limits
    return ReadPlan(
        first=parent.paginate.first(build_first_request(parent.request, scope, Window(), None)),
        paginator=parent.paginate,
        records=parent.records,
        allow_missing=parent.allow_missing,
        keep=_filter(parent.filter, context),
        answers=Answers(parent.response, parent.records, context, limits),
    )


def _filter(text: str | None, context: MappingContext) -> Callable[[Any], Any] | None:
    return None if text is None else compile_expression(text, context)
