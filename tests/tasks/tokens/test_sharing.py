"""Eight processes, one credential, a provider that rotates refresh tokens and revokes on reuse."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.provider import DROP, SECRET, Provider, provider

from astrio.blocks.api import RestApi
from astrio.blocks.tokens import NeedsAuthorisationError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings

PROCESSES = 8
LIFE = 2.0

WORKER = """
import asyncio, sys, time
from astrio.blocks.api import RestApi
from astrio.blocks.tokens import NeedsAuthorisationError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest

async def main(url, token, ends):
    auth = {"type": "oauth2_refresh_token", "token_url": f"{url}/token", "client_id": "me",
            "client_secret": "SECRET", "refresh_token": token}
    async with ApiClient(RestApi.model_validate({"base_url": url, "auth": auth})) as client:
        while time.time() < ends:
            await client.send(ApiRequest("GET", "/orders"))
            await asyncio.sleep(0.02)

try:
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
except NeedsAuthorisationError as error:
    print(error.message)
    sys.exit(3)
""".replace("SECRET", SECRET)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASTRIO_LEDGER_URL", raising=False)


def begin(server: Provider, token: str, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WORKER, server.url, token, str(time.time() + seconds)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)


def kill_between_refreshes(server: Provider, workers: list[subprocess.Popen[str]]) -> None:
    """Kill some worker when no refresh can be in flight: some time after one, and before the next.

    Just after one, its token may not be kept yet, and nobody could go on from it.
    """
    while not 0.5 < time.time() - server.times[-1] < 1.2:
        assert any(worker.poll() is None for worker in workers)
        time.sleep(0.01)
    victim = random.choice(workers)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    workers.remove(victim)


def share(server: Provider, seconds: float, faults: list[Any]) -> list[tuple[int, str]]:
    """Let eight processes work, kill one every five seconds and start another; return the ends."""
    token = server.first_refresh_token()
    ends = time.time() + seconds
    workers = [begin(server, token, seconds) for _ in range(PROCESSES)]
    while not server.times:
        time.sleep(0.05)
    while time.time() < ends - 6:
        time.sleep(5)
        if faults:
            server.faults.append(faults.pop(0))
        kill_between_refreshes(server, workers)
        workers.append(begin(server, token, ends - time.time()))
    return [(worker.wait(60), worker.communicate()[0]) for worker in workers]


def assert_one_refresh_per_expiry(server: Provider) -> None:
    assert not server.refused
    gaps = [after - before for before, after in zip(server.times, server.times[1:], strict=False)]
    assert min(gaps) >= LIFE * 0.85  # a tenth of its life before its end, at the earliest


@pytest.mark.slow
@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_there_is_one_refresh_per_expiry_whoever_is_killed(
    where: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "postgresql":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))
        monkeypatch.setenv("ASTRIO_SECRET_KEY", "bXktdmVyeS1zZWNyZXQta2V5LW9mLTMyLWJ5dGVzISE=")
    with provider(life=LIFE) as server:
        ends = share(server, 60, [])
        assert {code for code, _ in ends} == {0}
        assert_one_refresh_per_expiry(server)
        assert len(server.times) >= 60 / LIFE / 2


@pytest.mark.slow
def test_server_errors_and_slowness_of_the_token_endpoint_lose_nothing() -> None:
    with provider(life=LIFE) as server:
        ends = share(server, 40, [500, 0.7, 503, 1.5, 429])
        assert {code for code, _ in ends} == {0}
        assert_one_refresh_per_expiry(server)


def test_a_dropped_answer_ends_all_with_one_clear_message() -> None:
    with provider(life=0.5) as server:
        token = server.first_refresh_token()
        workers = [begin(server, token, 6) for _ in range(3)]
        while not server.times:
            time.sleep(0.02)
        server.faults.append(DROP)
        ends = [(worker.wait(60), worker.communicate()[0]) for worker in workers]
        assert {code for code, _ in ends} == {3}
        assert [told for _, told in ends if "was lost" not in told] == []
        assert not server.refused


async def test_a_process_killed_while_it_waits_leaves_a_clear_message_and_no_reuse() -> None:
    with provider() as server:
        token = server.first_refresh_token()
        server.faults.append(30.0)
        worker = begin(server, token, 30)
        while not server.asked:  # noqa: ASYNC110 (another thread fills the list)
            await asyncio.sleep(0.02)
        worker.kill()
        worker.wait()
        auth = {
            "type": "oauth2_refresh_token",
            "token_url": f"{server.url}/token",
            "client_id": "me",
            "client_secret": SECRET,
            "refresh_token": token,
        }
        api = RestApi.model_validate({"base_url": server.url, "auth": auth})
        for _ in range(2):
            async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
                with pytest.raises(NeedsAuthorisationError, match="was lost"):
                    await client.send(ApiRequest("GET", "/orders"))
        assert len(server.asked) == 1
