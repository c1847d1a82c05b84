from __future__ import annotations

import pytest
from tests.support.reading import Slept, client, send
from tests.support.server import (
    answer,
    replies,
    serve,
)

from astrio.blocks.errors import (
    ApiUnavailableError,
    AstrioError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


async def test_a_failure_that_passes_is_retried() -> None:
    slept = Slept()
    handler = replies(answer({}, 500), answer({}, 503), {"ok": True})
    with serve(handler) as server:
        async with client(server.url, sleep=slept) as opened:
            assert (await opened.send(GET)).content == b'{"ok": true}'
            report = opened.stats.report()
    assert slept == [1.0, 2.0]
    assert (report.sent, report.retried) == (3, 2)


async def test_a_failure_that_stays_says_how_often_it_was_tried() -> None:
    with serve(lambda _: answer({"message": "down"}, 502)) as server:
        with pytest.raises(ApiUnavailableError, match=r"502 Bad Gateway: down \(tried 4 times\)"):
            await send(server.url)
        assert len(server.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
async def test_other_statuses_are_not_retried(status: int) -> None:
    with serve(lambda _: answer({}, status)) as server:
        with pytest.raises(AstrioError):
            await send(server.url, GET)
        assert len(server.requests) == 1


async def test_a_listed_client_error_is_retried_and_then_unavailable() -> None:
    with (
        serve(lambda _: answer({}, 404)) as server,
        pytest.raises(ApiUnavailableError, match="tried 3 times"),
    ):
        await send(server.url, retry={"max_retries": 2, "retry_on_status": [404]})


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "2.5"}, [2.5]),
        ({"Retry-After": "Wed, 01 May 2024 10:00:09 GMT", "Date": "x"}, [9.0]),
        (
            {
                "Retry-After": "Wed, 01 May 2024 12:00:09 GMT",
                "Date": "Wed, 01 May 2024 12:00:00 GMT",
            },
            [9.0],
        ),
        ({"Retry-After": "Wed, 01 May 2024 09:00:00 GMT", "Date": "x"}, [1.0]),
        ({"Retry-After": "-5"}, [1.0]),
        ({"Retry-After": "soon"}, [1.0]),
        ({"Retry-After": "nan"}, [1.0]),
        ({}, [1.0]),
    ],
)
async def test_a_wait_is_never_shorter_than_the_api_asks(
    header: dict[str, str], waits: list[float]
) -> None:
    slept = Slept()
    with serve(replies(answer({}, 429, header), {})) as server:
        await send(server.url, sleep=slept)
    assert slept == waits


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.999])
async def test_jitter_comes_on_top_of_the_wait(chance: float) -> None:
    slept = Slept()
    handler = replies(answer({}, 429, {"Retry-After": "7"}), answer({}, 500), {})
    with serve(handler) as server:
        await send(server.url, sleep=slept, chance=chance)
    assert slept == [7 + chance, 2 + 2 * chance]


async def test_a_backoff_stays_below_the_longest_wait() -> None:
    slept = Slept()
    retry = {"max_retries": 4, "retry_delay": 1000, "backoff_multiplier": 10, "max_wait": 3000}
    with serve(lambda _: answer({}, 500)) as server, pytest.raises(ApiUnavailableError):
        await send(server.url, sleep=slept, chance=0.5, retry=retry)
    assert slept == [1.5, 3.0, 3.0, 3.0]


async def test_a_wait_longer_than_allowed_fails_at_once_and_names_the_time() -> None:
    slept = Slept()
    with serve(lambda _: answer({}, 429, {"Retry-After": "3600"})) as server:
        with pytest.raises(ApiUnavailableError, match="until 2024-05-01 11:00:00 UTC"):
            await send(server.url, sleep=slept)
        assert len(server.requests) == 1
    assert slept == []


@pytest.mark.parametrize(
    ("status", "headers", "strict", "sent"),
    [
        (429, {"Retry-After": "0"}, False, 2),
        (503, {"Retry-After": "0"}, False, 2),
        (429, {}, False, 1),
        (503, {}, False, 1),
        (502, {"Retry-After": "0"}, False, 1),
        (429, {"Retry-After": "0"}, True, 1),
    ],
)
async def test_a_given_list_is_widened_by_retry_after_unless_strict(
    status: int, headers: dict[str, str], strict: bool, sent: int
) -> None:
    retry = {"max_retries": 1, "retry_on_status": [500], "strict": strict}
    with serve(lambda _: answer({}, status, headers)) as server:
        with pytest.raises(ApiUnavailableError):
            await send(server.url, retry=retry)
        assert len(server.requests) == sent


@pytest.mark.parametrize(
    ("status", "headers", "sent"),
    [(500, {}, 1), (503, {"Retry-After": "0"}, 1), (429, {}, 1), (429, {"Retry-After": "0"}, 2)],
)
async def test_a_post_is_repeated_only_when_it_was_surely_not_carried_out(
    status: int, headers: dict[str, str], sent: int
) -> None:
    with serve(lambda _: answer({}, status, headers)) as server:
        with pytest.raises(ApiUnavailableError):
            await send(server.url, POST, retry={"max_retries": 1})
        assert len(server.requests) == sent


async def test_a_post_that_only_reads_is_retried() -> None:
    reading = ApiRequest("POST", "/search", body={}, idempotent=True)
    with serve(replies(answer({}, 500), {})) as server:
        await send(server.url, reading)
        assert len(server.requests) == 2
