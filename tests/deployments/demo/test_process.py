from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from astrio.blocks.errors import FatalError
from astrio.deployments.demo.process import running, running_shop

SHOP = "astrio.deployments.demo.shop"
PARENT = """
import time
from astrio.deployments.demo.process import running_shop
with running_shop() as url:
    print(url, flush=True)
    time.sleep(60)
"""

DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_the_shop_answers_at_the_url_that_it_prints_and_is_gone_after_the_block() -> None:
    with running_shop(seed=3) as url:
        assert answers(url)
    assert not answers(url)


def test_two_shops_run_side_by_side() -> None:
    with running_shop() as one, running_shop() as other:
        assert one != other
        assert answers(one)
        assert answers(other)


def test_the_shop_ends_when_its_parent_is_killed() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.kill()
    assert eventually(lambda: not answers(url))


def test_a_terminated_shop_ends_without_an_error() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", SHOP]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as shop:
        assert shop.stdout is not None
        assert shop.stderr is not None
        answers(shop.stdout.readline().strip())
        shop.send_signal(signal.SIGTERM)
        assert shop.stderr.read() == ""
    assert shop.returncode == 0


def test_a_given_port_is_used() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running("-m", SHOP, "--port", str(port)) as url:
        assert url == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_refused_rather_than_shared() -> None:
    with running_shop() as url:
        port = str(urlsplit(url).port)
        with pytest.raises(FatalError, match="did not start"), running("-m", SHOP, "--port", port):
            pass


def test_a_child_that_does_not_end_by_itself_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astrio.deployments.demo.process.PATIENCE", 0.1)
    with running("-c", DEAF) as pid:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
