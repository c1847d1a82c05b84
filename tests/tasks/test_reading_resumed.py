from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import (
    COUNTED,
    RECORDS,
    plan,
    read,
)
from tests.support.server import answer, paged, replies, serve

from astrio.blocks.errors import (
    ApiAnswerError,
    CredentialsError,
)
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.reading import ReadPlan, ResumeExpiredError


def resumed(**more: Any) -> ReadPlan:
    at = ApiRequest("GET", "/orders", params={"page": 2})
    return plan(COUNTED, resume=at, pages_before=1, received_before=3, claimed=7, **more)


async def test_a_resumed_reading_goes_on_counting() -> None:
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, resumed())
    assert [(page.number, page.fetched) for page in pages] == [(2, 3), (3, 1)]
    assert pages[-1].stop_reason == "total_reached"


async def test_a_reading_that_had_ended_asks_for_nothing() -> None:
    ended = plan(COUNTED, ended="total_reached", pages_before=3, received_before=7, claimed=7)
    with serve(paged(RECORDS, 3)) as server:
        pages = await read(server.url, ended)
        assert not server.requests
    assert [(page.number, page.stop_reason, page.claimed) for page in pages] == [
        (3, "total_reached", 7)
    ]


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_a_position_that_the_api_no_longer_knows_is_told_apart(status: int) -> None:
    def refuse(request: web.Request) -> Any:
        return answer({"message": "expired"}, status)

    with serve(refuse) as server:
        with pytest.raises(ResumeExpiredError, match="expired"):
            await read(server.url, resumed())
        with pytest.raises(ApiAnswerError) as caught:
            await read(server.url, resumed().from_start())
    assert not isinstance(caught.value, ResumeExpiredError)


async def test_other_refusals_of_a_position_stay_what_they_are() -> None:
    with serve(lambda _: answer({}, 401)) as server, pytest.raises(CredentialsError):
        await read(server.url, resumed())
    with serve(lambda _: answer({}, 405)) as server, pytest.raises(ApiAnswerError) as caught:
        await read(server.url, resumed())
    assert not isinstance(caught.value, ResumeExpiredError)


async def test_a_later_page_that_is_gone_is_no_expired_position() -> None:
    with (
        serve(replies({"items": [{"id": 1}], "total": 7}, answer({}, 404))) as server,
        pytest.raises(ApiAnswerError) as caught,
    ):
        await read(server.url, resumed())
    assert not isinstance(caught.value, ResumeExpiredError)
