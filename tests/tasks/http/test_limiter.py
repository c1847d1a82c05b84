from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.reading import client
from tests.support.server import answer, replies, serve

from astrio.blocks.api import Limits, RestApi
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.limiter import Limiter, limiter_of, requests_a_second
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.limits.store import LimitStore

GET = ApiRequest("GET", "/orders")
RATE, PROCESSES, REQUESTS = 50, 4, 1000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASTRIO_LEDGER_URL", raising=False)


@pytest.mark.parametrize(
    ("text", "rate"), [("50/s", 50), ("120/min", 2), ("3600 / h", 1), ("10/10s", 1), ("0.5/s", 0.5)]
)
def test_a_rate_is_read(text: str, rate: float) -> None:
    assert requests_a_second(Limits(rate=text).rate) == rate


@pytest.mark.parametrize("text", ["fast", "50", "0/s", "50/week", "-1/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a rate"):
        Limits(rate=text)


def test_moments_are_given_out_once_and_evenly() -> None:
    store = LimitStore()
    first = store.claim("a", 3, 0.5, now=100.0)
    second = store.claim("a", 2, 0.5, now=100.1)
    other = store.claim("b", 1, 0.5, now=100.1)
    assert (first, second, other) == ([100.0, 100.5, 101.0], [101.5, 102.0], [100.1])


def test_a_block_holds_for_everybody_and_is_never_shortened() -> None:
    store = LimitStore()
    store.block("a", 200.0)
    store.block("a", 150.0)
    assert store.claim("a", 1, 0.5, now=100.0) == [200.0]


def test_what_was_not_used_is_not_made_up_for() -> None:
    store = LimitStore()
    store.claim("a", 1, 0.5, now=100.0)
    assert store.claim("a", 2, 0.5, now=500.0) == [500.0, 500.5]


async def test_a_connection_without_a_rate_touches_no_ledger(tmp_path: Path) -> None:
    limiter = limiter_of(RestApi(base_url="https://a.example.com"))
    await limiter.turn()
    assert type(limiter) is Limiter
    assert not (tmp_path / "home").exists()


async def test_requests_wait_until_there_is_quota_again() -> None:
    used_up = answer({}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3"})
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds))

    with serve(replies(used_up, {})) as server:
        async with client(server.url, sleep=sleep) as opened:
            await opened.send(GET)
            await opened.send(GET)
    assert slept == [3]


async def test_a_refusal_holds_back_every_process_with_that_credential() -> None:
    limited = answer({}, 429, {"Retry-After": "0.4"})
    with serve(replies(limited, {})) as server:
        api = RestApi.model_validate({"base_url": server.url, "limits": {"rate": "100/s"}})
        async with ApiClient(api) as one, ApiClient(api) as other:
            began = time.time()
            first = asyncio.create_task(one.send(GET))
            while not server.requests:  # noqa: ASYNC110 (another thread fills the list)
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            await other.send(GET)
            assert time.time() - began >= 0.4
            await first


async def test_two_credentials_of_one_api_have_limits_of_their_own() -> None:
    def made(key: str) -> Any:
        auth = {"type": "bearer", "token": key}
        settings = {"base_url": "https://a.example.com", "auth": auth, "limits": {"rate": "1/h"}}
        return limiter_of(RestApi.model_validate(settings))

    await asyncio.gather(made("first-key").turn(), made("second-key").turn())


SENDER = """
import asyncio, sys
from astrio.blocks.api import RestApi
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest

async def main(url, count):
    api = RestApi.model_validate({"base_url": url, "limits": {"rate": "RATE/s"}})
    async with ApiClient(api) as client:
        async def worker(numbers):
            for _ in numbers:
                await client.send(ApiRequest("GET", "/orders"))
        numbers = iter(range(count))
        await asyncio.gather(*(worker(numbers) for _ in range(4)))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
""".replace("RATE", str(RATE))


@pytest.mark.slow
def test_four_processes_share_one_rate() -> None:
    """1,000 requests under 50/s: never more than 5 % over it in any second, 90 % of it used."""
    moments: list[float] = []

    def orders(_: Any) -> Any:
        moments.append(time.monotonic())
        return {}

    with serve(orders) as server:
        share = str(REQUESTS // PROCESSES)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        senders = [
            subprocess.Popen([sys.executable, "-c", SENDER, server.url, share], env=environment)
            for _ in range(PROCESSES)
        ]
        assert [sender.wait(120) for sender in senders] == [0] * PROCESSES
    assert len(moments) == REQUESTS
    moments.sort()
    busiest = max(sum(start <= each < start + 1 for each in moments) for start in moments)
    assert busiest <= RATE * 1.05
    assert len(moments) / (moments[-1] - moments[0]) >= RATE * 0.9
