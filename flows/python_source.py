"""From `source.python` to what yields a run's pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from astrio.flows.integration import Integration
from astrio.flows.partitions import partition_fields
from astrio.tasks.answers import Answers
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.incremental import Window
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.python.context import SourceContext
from astrio.tasks.python.references import resolve, source_function
from astrio.tasks.python.source import PAGE_SIZE, PythonSource
from astrio.tasks.selection import Selection
from astrio.tasks.ties import Ties


def python_source(  # noqa: PLR0913 (what a run knows is given by name)
    integration: Integration,
    window: Window,
    context: MappingContext,
    *,
    watermark: Any = None,
    ties: Ties | None = None,
    limit: int | None = None,
    size: int = PAGE_SIZE,
    note: Callable[[str], None] | None = None,
) -> PythonSource:
    """Return the source of an integration that names one written in Python.

    Args:
        integration: what to read.
        window: the run's window.
        context: the clock.
        watermark: the saved one.
        ties: knows the records that the last run has written.
        limit: stop after so many records.
        size: records of a page, where they are yielded one by one.
        note: takes the source's notes instead of the run's log.

    Raises:
        ConfigurationError: there is no such function, or the filter has mistakes.
    """
    source = integration.source
    assert source.python is not None
    given = SourceContext(context.now, window.start, window.end, watermark, integration.vars)
    return PythonSource(
        source_function(resolve(source.python)),
        given if note is None else replace(given, _write=note),
        Selection(
            None if source.filter is None else compile_expression(source.filter, context),
            CursorReader.of(source.incremental, window) if source.incremental else None,
            Answers(),
            partition_fields(integration),
            ties=ties,
        ),
        limit=limit,
        size=size,
    )
