"""A look at the source without a run: its first pages, no state, nothing written.

Free of Prefect and SQLAlchemy, so that `test` and `preview` answer quickly.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiAnswerError, AstrioError
from astrio.flows.connecting import resolved_api, with_source
from astrio.flows.integration import Integration
from astrio.flows.judging import mapping_of, rules_of
from astrio.flows.partitions import as_partition
from astrio.flows.python_source import python_source
from astrio.flows.reading_plan import reading_plan
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.detection.candidates import FirstPage
from astrio.tasks.detection.proof import Detection, detect
from astrio.tasks.detection.signs import lists_in
from astrio.tasks.http.client import Answer, ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import plan_window
from astrio.tasks.mapping.compile import CompiledMapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.page_source import PageSource
from astrio.tasks.paginate.none import NoPagination
from astrio.tasks.paths import MissingPathError, compile_path
from astrio.tasks.python.source import PAGE_SIZE
from astrio.tasks.python.transform import PythonTransform
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.reading import read_pages

MOST_PAGES = 10


@dataclass(slots=True)
class Sample:
    """The first pages of a source.

    Attributes:
        started: when they were asked for; the clock of the mapping.
        records: those that passed the filter, `wanted` at most.
        pages: how many pages were read to find them.
        fetched: how many records they held.
        filtered: how many of these the filter left out.
        claimed: how many the API says there are, if it says so.
        stop_reason: why the source ended, None while there is more.
        status: the HTTP status of the first page.
        url: its address, secrets masked.
        milliseconds: how long the API took for it.
        detection: what was found out about the pages; None: it was not asked for.
    """

    started: datetime
    records: list[Any] = field(default_factory=list)
    pages: int = 0
    fetched: int = 0
    filtered: int = 0
    claimed: int | None = None
    stop_reason: str | None = None
    status: int = 0
    url: str = ""
    milliseconds: int = 0
    detection: Detection | None = None

    def add(self, page: Page, wanted: int) -> None:
        """Take in a page."""
        self.pages += 1
        self.fetched += page.fetched
        self.filtered += page.filtered
        self.records += page.records[: wanted - len(self.records)]
        self.claimed = page.claimed
        self.stop_reason = page.stop_reason


@dataclass(frozen=True, slots=True)
class Judged:
    """One record on its way: as fetched, as mapped, what is wrong with it or worth a warning."""

    source: Any
    mapped: dict[str, Any]
    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)


class _Client(ApiClient):
    """Remembers the first answer."""

    first: Answer | None = None

    async def send(
        self, request: ApiRequest, *, page: int | None = None, answers: Answers | None = None
    ) -> Answer:
        answer = await super().send(request, page=page, answers=answers)
        self.first = self.first or answer
        return answer


async def read_sample(
    integration: Integration, wanted: int, *, second_page: bool = False
) -> Sample:
    """Read pages, as the first run would, until `wanted` records have passed the filter.

    A filter that lets few records through ends the search after ten pages.

    Args:
        integration: what to read.
        wanted: how many records.
        second_page: look at the second page, too: whether it holds other records, and where the
            file names no paginator, which one would lead to it.

    Raises:
        AstrioError: the API cannot be reached, or its answer cannot be used.
    """
    integration = as_partition(integration, None)
    sample = Sample(datetime.now(UTC))
    integration = with_source(integration)
    api = resolved_api(integration, sample.started)
    if integration.source.python is not None:
        return await _of_python(integration, api, wanted, sample)
    if integration.source.webhook is not None:
        return await _of_events(integration, api, wanted, sample)
    if integration.source.event is not None:
        return await _of_handed_over(integration, wanted, sample)
    assert api is not None  # every other source is an API yet
    client = _Client(api, retry=integration.retry, errors=integration.errors)
    plan = _plan(integration, sample.started)
    async with client, aclosing(read_pages(client, plan)) as pages:
        try:
            async for page in pages:
                sample.add(page, wanted)
                if len(sample.records) >= wanted or sample.pages == MOST_PAGES:
                    break
        except ApiAnswerError as error:
            raise _with_hint(error, client.first, plan) from None
        if client.first is not None:
            sample.status, sample.url = client.first.status, client.first.url
        sample.milliseconds = client.stats.report().p50_ms or 0
        if second_page and client.first is not None:
            sample.detection = await _detected(integration, client, plan, pages, sample)
    return sample


async def _of_python(
    integration: Integration, api: RestApi | None, wanted: int, sample: Sample
) -> Sample:
    """Take records of a source written in Python, of which no more pages are asked than needed."""
    window = plan_window(integration.source.incremental, None, sample.started)
    context = MappingContext(sample.started)
    source = python_source(integration, window, context, size=min(wanted, PAGE_SIZE))
    return await _of_pages(integration, api, wanted, sample, source)


async def _of_events(
    integration: Integration, api: RestApi | None, wanted: int, sample: Sample
) -> Sample:
    """Take the latest events that the source has received; the inbox needs SQLAlchemy."""
    from astrio.flows.receiving import latest_events

    source = latest_events(integration, wanted, MappingContext(sample.started))
    return await _of_pages(integration, api, wanted, sample, source)


async def _of_handed_over(integration: Integration, wanted: int, sample: Sample) -> Sample:
    """Take what waits for the integration; the inbox needs SQLAlchemy."""
    from astrio.flows.handing_over import HandedOver

    async def effects(_: Sequence[str]) -> set[str]:
        return set()

    source = HandedOver(integration, MappingContext(sample.started), effects)
    return await _of_pages(integration, None, wanted, sample, source)


async def _of_pages(
    integration: Integration, api: RestApi | None, wanted: int, sample: Sample, source: PageSource
) -> Sample:
    async with AsyncExitStack() as stack:
        session = None
        if api is not None:
            client = ApiClient(api, retry=integration.retry, errors=integration.errors)
            session = await stack.enter_async_context(client)
        async for page in await stack.enter_async_context(aclosing(source.pages(session))):
            sample.add(page, wanted)
            if len(sample.records) >= wanted or sample.pages == MOST_PAGES:
                break
    return sample


async def _detected(
    integration: Integration,
    client: _Client,
    plan: ReadPlan,
    pages: AsyncGenerator[Page, None],
    sample: Sample,
) -> Detection | None:
    source, first = integration.source, client.first
    if not isinstance(source.paginate, NoPagination):
        return await _confirmed(pages, sample)
    asks = plan.first.method in ("GET", "HEAD") or plan.first.idempotent
    if source.parent or source.export or first is None or not asks or first.file is not None:
        return None
    body = plan.answers.decode(first)
    records = compile_path(plan.records).records(body, allow_missing=plan.allow_missing)
    page = FirstPage(body, first.headers, records, source.records, plan.first.params)
    return await detect(client, plan, page, first.url)


async def _confirmed(pages: AsyncGenerator[Page, None], sample: Sample) -> Detection:
    """Return what the second page says about the paginator that the file names."""
    if sample.stop_reason is not None:
        return Detection(None, [f"the first page is the only one ({sample.stop_reason})"])
    try:
        page = await anext(pages, None)
    except AstrioError as error:
        return Detection(None, [f"the second page cannot be used: {error.message}"])
    told = f"page {page.number} holds {page.fetched} other records" if page else "it ends here"
    return Detection(None, [told], proven=page is not None and page.fetched > 0)


def _with_hint(error: ApiAnswerError, first: Answer | None, plan: ReadPlan) -> ApiAnswerError:
    """Return the error of a missing path with the one list of objects that the answer holds."""
    if first is None or first.file is not None:
        return error
    try:
        body = plan.answers.decode(first)
    except AstrioError:
        return error
    try:
        compile_path(plan.records).records(body)
    except MissingPathError:
        found = list(lists_in(body))
        if len(found) == 1:
            error.advice = f"The answer has one list of objects: write `records: {found[0]}`."
    except AstrioError:
        return error
    return error


def _plan(integration: Integration, started: datetime) -> ReadPlan:
    window = plan_window(integration.source.incremental, None, started)
    plan = reading_plan(integration, window, MappingContext(started))
    # A few pages need not be held back until their window is known to be whole.
    windows = None if plan.windows is None else replace(plan.windows, cap=None)
    return replace(plan, windows=windows, may_restart=False)


def judge(integration: Integration, sample: Sample) -> list[Judged]:
    """Map each record of the sample and hold it against the rules; nothing is written."""
    context = MappingContext(sample.started)
    mapping = mapping_of(integration, context)
    rules = rules_of(integration, mapping.columns, context)
    key = integration.push.key if integration.push.mode != "append" else ()
    judged: list[Judged] = []
    for number, record in enumerate(sample.records, start=1):
        mapped = _mapped(mapping, record)
        if mapped is None:
            sample.filtered += 1
            continue
        (values, problems), warnings = mapped, list[Problem]()
        if not problems:
            found = rules.explain(tuple(values), tuple(values.values()))
            warnings = [problem for problem in found if problem.severity == "warning"]
            batch = Batch(Page(number), tuple(values), [tuple(values.values())], [record])
            batch = rules.validate(batch)
            problems = [problem for reject in batch.rejects for problem in reject.problems]
            values = _rewritten(values, batch.rows)
            problems += _without_key(values, key)
        judged.append(Judged(record, values, problems, warnings))
    return judged


def _mapped(mapping: CompiledMapping, record: Any) -> tuple[dict[str, Any], list[Problem]] | None:
    """Return a record's values and what is wrong with it; None: a function leaves it out."""
    if isinstance(mapping, PythonTransform):
        row = mapping.row(record)
        if row is None:
            return None
        return ({}, row.problems) if isinstance(row, Reject) else (row, [])
    explained = mapping.explain(record)
    problems = [Problem(target, "map", told) for target, _, told in explained if told]
    return {target: value for target, value, _ in explained}, problems


def _without_key(values: dict[str, Any], key: Iterable[str]) -> list[Problem]:
    return [Problem(name, "key", "the key is empty") for name in key if values.get(name) is None]


def _rewritten(values: dict[str, Any], rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the values as a rule may have rewritten them, such as a phone number."""
    for row in rows:
        return dict(zip(values, row, strict=True))
    return values
