"""Proving a candidate: its second page must hold other records than the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from astrio.blocks.errors import AstrioError
from astrio.tasks.detection.candidates import Candidate, FirstPage, candidates, ends
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop
from astrio.tasks.paginate.choice import AnyPaginator
from astrio.tasks.paths import compile_path
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.secrecy import Secrecy

MOST_REQUESTS: Final = 2
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True)
class Detection:
    """What was found out about an API's pages.

    Attributes:
        proposal: what to write under `paginate`, None: nothing is proposed.
        evidence: what was seen, in sentences.
        proven: the second page holds other records.
    """

    proposal: dict[str, Any] | None = None
    evidence: list[str] = field(default_factory=list)
    proven: bool = False

    @property
    def confidence(self) -> str:
        """`proven`, or `none`: what was not proven is not proposed."""
        return "proven" if self.proven else "none"


async def detect(client: ApiClient, plan: ReadPlan, page: FirstPage, url: str) -> Detection:
    """Look for the paginator of a first page, asking for at most two more pages.

    Args:
        client: asks the API.
        plan: how the first page was read.
        page: the first page.
        url: the URL that answered it.
    """
    detection, asked, seen = Detection(), 0, set[bytes]()
    for candidate in candidates(page):
        following = _following(client, plan, page, url, candidate)
        if following is None or following.identity() in seen:
            continue
        if asked == MOST_REQUESTS:
            break
        asked += 1
        seen.add(following.identity())
        told = await _second_page(client, plan, page, following)
        if told is None:
            detection.evidence.append(_refuted(candidate))
            continue
        return Detection(candidate.settings, [*candidate.evidence, told], proven=True)
    if not asked:
        detection.evidence += [*ends(page)] or ["nothing in the answer leads to a second page"]
    return detection


def _following(
    client: ApiClient, plan: ReadPlan, page: FirstPage, url: str, candidate: Candidate
) -> ApiRequest | None:
    """Return the second page's request; None: the candidate leads nowhere that may be asked."""
    made: Paginator = TypeAdapter(AnyPaginator).validate_python(candidate.settings)
    answer = PageAnswer(page.body, page.headers, url, page.records, len(page.records), None)
    try:
        step = made.next(plan.first, answer)
        if isinstance(step, Stop):
            return None
        step = Secrecy(plan.first, client.api.auth).hide(step)
        client.check(step)
    except AstrioError:
        return None
    return step


async def _second_page(
    client: ApiClient, plan: ReadPlan, page: FirstPage, following: ApiRequest
) -> str | None:
    """Return what proves a second page, None: it does not hold other records."""
    try:
        answer = await client.send(following, page=2, answers=plan.answers)
        records = compile_path(plan.records).records(plan.answers.decode(answer))
    except AstrioError:
        return None
    known = _hashes(page.records)
    if not records or _hashes(records) & known:
        return None
    return f"the second page holds {len(records)} other records"


def _hashes(records: Iterable[Any]) -> set[bytes]:
    return {_encoder.encode(record) for record in records}


def _refuted(candidate: Candidate) -> str:
    kind, param = candidate.settings["type"], candidate.settings.get("param")
    what = f"{kind} by {param}" if param else str(kind)
    return f"{what} was tried, but its second page held no other records"
