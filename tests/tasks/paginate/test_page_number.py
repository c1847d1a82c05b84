from __future__ import annotations

from typing import Any, ClassVar

import pytest
from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of
from tests.support.reading import paginator

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop


class TestUntilEmpty(PaginatorContract):
    settings: ClassVar = {"type": "page_number"}
    ends = "empty_page"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = (int(request.query["page"]) - 1) * size
            return {"items": records[start : start + size]}

        return page


class TestWithTotal(PaginatorContract):
    settings: ClassVar = {"type": "page_number", "param": "p", "start": 0, "total": "count"}
    ends = "total_reached"

    def serves(self, records: list[Any], size: int) -> Any:
        def page(request: web.Request) -> Any:
            start = int(request.query["p"]) * size
            return {"items": records[start : start + size], "count": str(len(records))}

        return page


class TestWithFlagInTheBody(PaginatorContract):
    settings: ClassVar = {
        "type": "page_number",
        "in": "body",
        "param": "page.number",
        "size_param": "page.size",
        "size": 5,
        "has_more": "more",
    }
    method = "POST"
    ends = "has_more_false"

    def serves(self, records: list[Any], size: int) -> Any:
        async def page(request: web.Request) -> Any:
            body = await request.json()
            assert body["fixed"] == {"a": 1}
            assert body["page"]["size"] == 5
            end = body["page"]["number"] * size
            return {"items": records[end - size : end], "more": str(end < len(records)).lower()}

        return page


def test_the_size_is_asked_for() -> None:
    made = paginator({"type": "page_number", "size_param": "per_page", "size": 100})
    assert made.first(ApiRequest("GET", "/")).params == {"page": 1, "per_page": 100}


@pytest.mark.parametrize("half", [{"size": 5}, {"sizeParam": "per_page"}])
def test_a_size_needs_its_parameter(half: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="together"):
        paginator({"type": "page_number", **half})


def test_a_position_that_is_no_number_is_refused() -> None:
    made = paginator({"type": "page_number"})
    with pytest.raises(ConfigurationError, match="must be a number"):
        made.next(ApiRequest("GET", "/", params={"page": "x"}), page_of({}))


FLAGS = [
    (True, None),
    ("true", None),
    ("Yes", None),
    (1, None),
    (False, "has_more_false"),
    ("false", "has_more_false"),
    ("FALSE", "has_more_false"),
    (0, "has_more_false"),
    ("0", "has_more_false"),
    ("", "has_more_false"),
]


@pytest.mark.parametrize(("flag", "reason"), FLAGS)
@pytest.mark.parametrize("records", [[], [{"id": 1}]])
def test_the_flag_decides_whatever_the_page_holds(
    flag: Any, reason: str | None, records: list[Any]
) -> None:
    made = paginator({"type": "page_number", "has_more": "meta.more"})
    step = made.next(made.first(ApiRequest("GET", "/")), page_of({"meta": {"more": flag}}, records))
    assert step.reason == reason if isinstance(step, Stop) else reason is None


@pytest.mark.parametrize("flag", ["maybe", 2.5, [], {}])
def test_a_flag_that_says_nothing_is_an_error(flag: Any) -> None:
    made = paginator({"type": "page_number", "has_more": "more"})
    with pytest.raises(ApiAnswerError, match="neither true nor false"):
        made.next(made.first(ApiRequest("GET", "/")), page_of({"more": flag}))


@pytest.mark.parametrize(("records", "stops"), [([{"id": 1}], False), ([], True)])
def test_without_the_flag_an_empty_page_is_the_end(records: list[Any], stops: bool) -> None:
    made = paginator({"type": "page_number", "has_more": "more"})
    step = made.next(made.first(ApiRequest("GET", "/")), page_of({}, records))
    assert isinstance(step, Stop) is stops


def test_a_flag_that_promises_more_outranks_the_total() -> None:
    made = paginator({"type": "page_number", "has_more": "more", "total": "total"})
    answer = page_of({"more": True}, received=10, total=10)
    assert not isinstance(made.next(made.first(ApiRequest("GET", "/")), answer), Stop)
