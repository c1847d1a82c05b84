"""For tests of one's own integrations: no server, no destination, nothing written.

`check_integration("users.yaml", [{"id": 1}])` gives the rows, the rejected records with their
problems, and how many are left out; `assert_function_examples("vat")` computes the examples of
one's own mapping functions. docs/python.md has tests that use them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.flows.connecting import resolved_api, with_source
from astrio.flows.integration import Integration
from astrio.flows.judging import judging
from astrio.flows.partitions import as_partition
from astrio.flows.python_source import python_source
from astrio.flows.reading.read import read_integration
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Batch, Page, Problem
from astrio.tasks.columns import key_places
from astrio.tasks.http.client import ApiClient
from astrio.tasks.incremental import plan_window
from astrio.tasks.mapping.compile import CompiledMapping, compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.finding import declared_here
from astrio.tasks.python.importing import import_module
from astrio.tasks.rules.compile import CompiledRules
from astrio.tasks.selection import Selection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that would go to the quarantine, as it came, and why."""

    record: Any
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> str:
        """The first reason."""
        return self.problems[0].reason


@dataclass(slots=True)
class Outcome:
    """What would become of the records.

    Attributes:
        rows: those that would be written, each by its targets.
        rejected: those that would be quarantined.
        filtered: how many are left out by the filter, the transform or the window.
        fetched: how many there were.
        notes: what a source written in Python noted.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    filtered: int = 0
    fetched: int = 0
    notes: list[str] = field(default_factory=list)


def check_integration(
    file: str | Path,
    records: Iterable[Any] | None = None,
    *,
    now: datetime | None = None,
    watermark: Any = None,
) -> Outcome:
    """Filter, map and judge records as a run of the file would.

    Args:
        file: the integration file.
        records: source records; None: those that its source written in Python yields.
        now: the run's start, with its zone; now if not given.
        watermark: the saved mark that such a source is given.

    Raises:
        ConfigurationError: the file has mistakes, or records are needed.
        AstrioError: the source failed.
    """
    integration = as_partition(read_integration(Path(file)).integration, None, now)
    context = MappingContext(now or datetime.now(UTC))
    outcome = Outcome()
    pages = _given(integration, records, context)
    if pages is None:
        pages = _elsewhere(_of_source(integration, context, watermark, outcome.notes))
    mapping, rules = judging(integration, context)
    for page in pages:
        _judge(page, mapping, rules, integration, outcome)
    return outcome


def assert_function_examples(module: ModuleType | str, *, now: datetime | None = None) -> None:
    """Compute the examples of a module's mapping functions.

    Args:
        module: a module of the connectors' folder, or its name.
        now: the run's start; now if not given.

    Raises:
        AssertionError: an example is not true, or a function has none; the text lists them all.
    """
    found = list(declared_here(import_module(module) if isinstance(module, str) else module))
    context = MappingContext(now or datetime.now(UTC))
    wrong = [] if found else ["The module adds no function to the mapping language."]
    for function in found:
        if not function.examples and not function.rejects:
            wrong.append(f"{function.name}() has no example.")
        examples = [(text, repr(value)) for text, value in function.examples]
        for text, wanted in [*examples, *((text, "rejected") for text in function.rejects)]:
            told = _computed(text, context, function.name)
            if told.partition(":")[0] != wanted and told != wanted:
                wrong.append(f"{text} gives {told}, not {wanted}.")
    if wrong:
        raise AssertionError("\n".join(wrong))


def _computed(text: str, context: MappingContext, name: str) -> str:
    try:
        return repr(compile_expression(text, context)({}))
    except RecordRejectedError as error:
        return f"rejected: {error.message}"
    except ConfigurationError as error:
        refused = error.message.startswith(f"{name}() needs ")  # a constant, before any record
        return f"rejected: {error.message}" if refused else error.message


def _given(
    integration: Integration, records: Iterable[Any] | None, context: MappingContext
) -> list[Page] | None:
    if records is None:
        if integration.source.python is None:
            raise ConfigurationError(
                f"{integration.name} reads an API.", advice="Give check_integration() records."
            )
        return None
    condition = integration.source.filter
    keep = None if condition is None else compile_expression(condition, context)
    given = list(records)
    chosen = Selection(keep, None, Answers())(given)
    left_out = len(given) - len(chosen.records) - len(chosen.rejects)
    return [Page(1, chosen.records, len(given), left_out, chosen.rejects)]


async def _of_source(
    integration: Integration, context: MappingContext, watermark: Any, notes: list[str]
) -> list[Page]:
    integration = with_source(integration)
    window = plan_window(integration.source.incremental, watermark, context.now)
    source = python_source(integration, window, context, watermark=watermark, note=notes.append)
    api = resolved_api(integration, context.now)
    async with AsyncExitStack() as stack:
        session = None
        if api is not None:
            client = ApiClient(api, retry=integration.retry, errors=integration.errors)
            session = await stack.enter_async_context(client)
        pages: AsyncGenerator[Page, None] = source.pages(session)
        return [page async for page in await stack.enter_async_context(aclosing(pages))]


def _elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Carry work out in a thread of its own, as a test may have an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _judge(
    page: Page,
    mapping: CompiledMapping,
    rules: CompiledRules,
    integration: Integration,
    outcome: Outcome,
) -> None:
    mapped = mapping.transform(page)
    batch = rules.validate(mapped)
    outcome.fetched += page.fetched
    outcome.filtered += mapped.page.filtered
    rejects = [*page.rejects, *batch.rejects]
    outcome.rejected += (Rejected(each.record, tuple(each.problems)) for each in rejects)
    key = integration.push.key if integration.push.mode != "append" else ()
    for place, row in enumerate(batch.rows):
        if problems := _without_key(batch, row, key):
            outcome.rejected.append(Rejected(batch.sources[place], problems))
        else:
            outcome.rows.append(dict(zip(batch.columns, row, strict=True)))


def _without_key(batch: Batch, row: tuple[Any, ...], key: Iterable[str]) -> tuple[Problem, ...]:
    """Return why a row cannot be told from others: a part of its key is null."""
    values = {name: [row[place] for place in key_places(batch.columns, [name])] for name in key}
    empty = [name for name, found in values.items() if found in ([], [None])]
    return tuple(Problem(name, "key", "the key is empty") for name in empty)
