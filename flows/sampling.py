"""A look at the source without a run: its first pages, no state, nothing written.

Free of Prefect and SQLAlchemy, so that `test` and `preview` answer quickly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from astrio.flows.connecting import resolved_api, with_source
from astrio.flows.integration import Integration
from astrio.flows.reading_plan import reading_plan
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Batch, Page, Problem
from astrio.tasks.http.client import Answer, ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import plan_window
from astrio.tasks.mapping.compile import compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.reading import read_pages
from astrio.tasks.rules.compile import compile_rules

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
    """One record on its way: as fetched, as mapped, and what is wrong with it."""

    source: Any
    mapped: dict[str, Any]
    problems: list[Problem]


class _Client(ApiClient):
    """Remembers the first answer."""

    first: Answer | None = None

    async def send(
        self, request: ApiRequest, *, page: int | None = None, answers: Answers | None = None
    ) -> Answer:
        answer = await super().send(request, page=page, answers=answers)
        self.first = self.first or answer
        return answer


async def read_sample(integration: Integration, wanted: int) -> Sample:
    """Read pages, as the first run would, until `wanted` records have passed the filter.

    A filter that lets few records through ends the search after ten pages.

    Raises:
        AstrioError: the API cannot be reached, or its answer cannot be used.
    """
    sample = Sample(datetime.now(UTC))
    integration = with_source(integration)
    api = resolved_api(integration, sample.started)
    client = _Client(api, retry=integration.retry, errors=integration.errors)
    async with client:
        async for page in read_pages(client, _plan(integration, sample.started)):
            sample.add(page, wanted)
            if len(sample.records) >= wanted or sample.pages == MOST_PAGES:
                break
        if client.first is not None:
            sample.status, sample.url = client.first.status, client.first.url
        sample.milliseconds = client.stats.report().p50_ms or 0
    return sample


def _plan(integration: Integration, started: datetime) -> ReadPlan:
    window = plan_window(integration.source.incremental, None, started)
    plan = reading_plan(integration, window, MappingContext(started))
    # A few pages need not be held back until their window is known to be whole.
    windows = None if plan.windows is None else replace(plan.windows, cap=None)
    return replace(plan, windows=windows, may_restart=False)


def judge(integration: Integration, sample: Sample) -> list[Judged]:
    """Map each record of the sample and hold it against the rules; nothing is written."""
    mapping = compile_mapping(integration.map, MappingContext(sample.started))
    rules = compile_rules(integration.rules, mapping.columns)
    key = integration.push.key if integration.push.mode != "append" else ()
    judged: list[Judged] = []
    for number, record in enumerate(sample.records, start=1):
        explained = mapping.explain(record)
        values = {target: value for target, value, _ in explained}
        problems = [Problem(target, "map", told) for target, _, told in explained if told]
        if not problems:
            batch = Batch(Page(number), tuple(values), [tuple(values.values())], [record])
            batch = rules.validate(batch)
            problems = [problem for reject in batch.rejects for problem in reject.problems]
            values = _rewritten(values, batch.rows)
            problems += _without_key(values, key)
        judged.append(Judged(record, values, problems))
    return judged


def _without_key(values: dict[str, Any], key: Iterable[str]) -> list[Problem]:
    empty = [name for name in key if values.get(name) is None]
    return [Problem(name, "key", "the key is empty") for name in empty]


def _rewritten(values: dict[str, Any], rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the values as a rule may have rewritten them, such as a phone number."""
    for row in rows:
        return dict(zip(values, row, strict=True))
    return values
