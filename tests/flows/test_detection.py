"""What `astrio test` finds out about an API's pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.docs.test_pagination import EXAMPLES, service
from tests.flows.api import integration
from tests.flows.running import run
from tests.support.server import answer, serve

from astrio.blocks.errors import ApiAnswerError
from astrio.flows.reading.read import read_integration
from astrio.flows.sampling import Sample, read_sample
from astrio.tasks.detection.proof import Detection

RECORDS = [{"id": number, "name": f"N{number}"} for number in range(50)]
TEN = 10


def sample(url: str, **source: Any) -> Sample:
    made = integration(
        url,
        Path("unused.db"),
        source={"paginate": {"type": "none"}, "records": "$.items[*]", **source},
    )
    return asyncio.run(read_sample(made, 1, second_page=True))


def detected(url: str, **source: Any) -> Detection:
    found = sample(url, **source).detection
    assert found is not None
    return found


def asked(request: web.Request, name: str, default: int = 0) -> int:
    return int(request.query.get(name, default))


def by_offset(name: str, **more: Any) -> Callable[[web.Request], Any]:
    def page(request: web.Request) -> Any:
        start = asked(request, name)
        return {"items": RECORDS[start : start + TEN], "total": len(RECORDS), name: start, **more}

    return page


def by_page(first: int = 1, **more: Any) -> Callable[[web.Request], Any]:
    def page(request: web.Request) -> Any:
        number = asked(request, "page", first)
        start = (number - first) * TEN
        return {"items": RECORDS[start : start + TEN], "meta": {"page": number, **more}}

    return page


def by_token(param: str, key: str) -> Callable[[web.Request], Any]:
    def page(request: web.Request) -> Any:
        start = int(request.query.get(param, "t0").removeprefix("t"))
        more = start + TEN < len(RECORDS)
        return {"items": RECORDS[start : start + TEN], key: f"t{start + TEN}" if more else None}

    return page


def after_the_last(request: web.Request) -> Any:
    start = asked(request, "starting_after", -1) + 1
    return {"items": RECORDS[start : start + TEN], "has_more": start + TEN < len(RECORDS)}


def by_header(request: web.Request) -> Any:
    number = asked(request, "page", 1)
    headers = {"X-Next-Page": str(number + 1) if number < 5 else ""}
    return answer({"items": RECORDS[(number - 1) * TEN : number * TEN]}, headers=headers)


def flagged(request: web.Request) -> Any:
    """Records without an id, and no word of how its pages are numbered."""
    start = (asked(request, "page", 1) - 1) * 7
    page = [{"key": each["id"]} for each in RECORDS[start : start + 7]]
    return {"items": page, "hasMore": start + 7 < len(RECORDS), "it's": 1, "deep": {"a": [1]}}


SERVICES: dict[str, tuple[Any, dict[str, Any]]] = {
    "offset": (by_offset("offset"), {"type": "offset", "param": "offset", "total": "$.total"}),
    "skip": (by_offset("skip"), {"type": "offset", "param": "skip", "total": "$.total"}),
    "page": (
        by_page(total=50),
        {"type": "page_number", "param": "page", "total": "$.meta.total"},
    ),
    "page from 0": (
        by_page(first=0, total=50),
        {"type": "page_number", "param": "page", "total": "$.meta.total", "start": 0},
    ),
    "a usual size": (by_page(), {"type": "page_number", "param": "page"}),
    "next_cursor": (
        by_token("cursor", "next_cursor"),
        {"type": "cursor", "param": "cursor", "next": "$.next_cursor"},
    ),
    "nextPageToken": (
        by_token("pageToken", "nextPageToken"),
        {"type": "cursor", "param": "pageToken", "next": "$.nextPageToken"},
    ),
    "page_token": (
        by_token("page_token", "next_page_token"),
        {"type": "cursor", "param": "page_token", "next": "$.next_page_token"},
    ),
    "continuation": (
        by_token("continuationToken", "continuationToken"),
        {"type": "cursor", "param": "continuationToken", "next": "$.continuationToken"},
    ),
    "a header": (by_header, {"type": "cursor", "param": "page", "next_header": "X-Next-Page"}),
    "a flag": (flagged, {"type": "page_number", "param": "page", "has_more": "$.hasMore"}),
    "last record": (
        after_the_last,
        {
            "type": "cursor",
            "param": "starting_after",
            "next": "$.items[-1].id",
            "has_more": "$.has_more",
        },
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_proposed_reads_everything(name: str, tmp_path: Path) -> None:
    api, expected = SERVICES[name]
    with serve(api) as server:
        found = detected(server.url)
        assert len(server.requests) <= 3
        assert found.proposal == expected
        made = integration(
            server.url,
            tmp_path / "a.db",
            source={"paginate": found.proposal, "records": "$.items[*]"},
            map={"id": "id", "name": "name"},
        )
        made = made.model_copy(update={"map": {"id": "id ?? key"}})
        assert run(made).records.written == 50
    assert found.confidence == "proven"
    assert re.fullmatch(r"the second page holds (10|7) other records", found.evidence[-1])


@pytest.mark.parametrize("name", ["link-header", "json-api", "odata"])
def test_links_are_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_header(request: web.Request) -> Any:
        async def plain() -> Any:
            made = await service(request)
            if name != "link-header":
                made.headers.popall("Link", None)
                made.headers.popall("X-Next-Cursor", None)
            return made

        return plain()

    text = re.sub(r"  paginate: .*\n", "", EXAMPLES[name])
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    with serve(without_header) as server:
        monkeypatch.setenv("API_URL", server.url)
        found = asyncio.run(read_sample(read_integration(file).integration, 1, second_page=True))
    assert found.detection is not None
    assert found.detection.proposal is not None
    kind = found.detection.proposal["type"]
    assert kind == ("link_header" if name == "link-header" else "next_url")


@pytest.mark.parametrize(
    ("api", "words"),
    [
        (lambda _: {"items": RECORDS[:7]}, "nothing in the answer leads to a second page"),
        (
            lambda _: {"items": RECORDS[:7], "total": 7},
            "$.total is 7, which is what",
        ),
        (lambda _: {"items": RECORDS[:7], "next": None}, "$.next is null"),
        (lambda _: {"items": RECORDS[:7], "has_more": False}, "$.has_more is false"),
        (lambda _: {"items": RECORDS[:7], "startYear": 1999, "count": 7}, "nothing in the answer"),
        (lambda _: {"items": RECORDS[:10]}, "page_number by page was tried"),
        (lambda _: {"items": RECORDS[:7], "next_cursor": "x"}, "cursor by cursor was tried"),
        (lambda _: {"items": RECORDS[:7], "next": "https://elsewhere.example/"}, "nothing in the"),
        (lambda _: {"items": [], "next_cursor": "x"}, "cursor by cursor was tried"),
    ],
)
def test_what_is_not_proven_is_not_proposed(api: Any, words: str) -> None:
    with serve(api) as server:
        found = detected(server.url)
        assert len(server.requests) <= 3
    assert (found.proposal, found.confidence) == (None, "none")
    assert words in " ".join(found.evidence)


def test_the_request_s_own_parameter_names_the_page() -> None:
    def api(request: web.Request) -> Any:
        number = asked(request, "pageNo", 1)
        return {"items": RECORDS[(number - 1) * 5 : number * 5], "count": 50}

    with serve(api) as server:
        found = detected(server.url, request={"path": "/items", "params": {"pageNo": 1}})
    assert found.proposal == {"type": "page_number", "param": "pageNo", "total": "$.count"}


def test_a_second_page_that_fails_proves_nothing() -> None:
    def api(request: web.Request) -> Any:
        if "cursor" in request.query:
            return answer({"error": "no"}, 400)
        return {"items": RECORDS[:3], "next_cursor": "x"}

    with serve(api) as server:
        assert detected(server.url).proposal is None


def test_a_request_that_may_change_something_is_not_sent_again() -> None:
    with serve(lambda _: {"items": RECORDS[:10], "next_cursor": "a"}) as server:
        assert sample(server.url, request={"method": "POST", "path": "/items"}).detection is None
        assert len(server.requests) == 1


def test_the_paginator_of_the_file_is_held_against_the_second_page() -> None:
    numbered = {"paginate": {"type": "page_number"}}
    with serve(by_page()) as server:
        good = detected(server.url, **numbered)
    with serve(lambda _: {"items": RECORDS[:10]}) as server:
        same = detected(server.url, **numbered)
    with serve(lambda _: {"items": RECORDS[:3], "total": 3}) as server:
        only = detected(server.url, paginate={"type": "page_number", "total": "total"})
    assert good.evidence == ["page 2 holds 10 other records"]
    assert "holds the same records as page 1" in same.evidence[0]
    assert only.evidence == ["the first page is the only one (total_reached)"]
    assert [good.proven, same.proven, only.proven] == [True, False, False]


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ({"result": {"rows": [{"id": 1}]}, "total": 1}, "write `records: $.result.rows[*]`"),
        ({"a": [{"id": 1}], "b": [{"id": 2}]}, None),
    ],
)
def test_the_one_list_of_an_answer_is_proposed_as_its_records(
    body: Any, advice: str | None
) -> None:
    with serve(lambda _: body) as server, pytest.raises(ApiAnswerError) as caught:
        sample(server.url)
    assert (advice in caught.value.advice) if advice else ("write" not in caught.value.advice)
