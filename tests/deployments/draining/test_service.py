"""The drainer as its own process, with a real Prefect server: down, up again, killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests.flows.running import query
from tests.support.command import eventually
from tests.support.server import unused_url

from astrio.deployments.draining.process import keep_draining
from astrio.deployments.draining.sources import FolderSources
from astrio.deployments.server_process import is_healthy, launch
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.event import Arrival, State
from astrio.tasks.webhooks.inbox.looking import Which, backlog, counts, listed

FILE = """\
name: {name}
source: {{webhook: shop}}
map: {{id: id}}
push: {{to: {{url: "sqlite:///{database}"}}, table: {table}, mode: append}}
"""
# The drainer without Prefect, whose claims lapse quickly.
QUICK = """
import asyncio, sys
from pathlib import Path
from astrio.deployments.draining.drainer import Drainer
from astrio.deployments.draining.sources import FolderSources
from astrio.flows.engine import engine
from astrio.flows.receiving import receiving_run
from astrio.tasks.webhooks.inbox.claiming import Claims

async def carry(integration, events):
    await engine(await receiving_run(integration, events))

sources = FolderSources(Path(sys.argv[1]), print)
asyncio.run(Drainer(sources, carry, claims=Claims(term=0.5), tell=print).run(asyncio.Event()))
"""


@pytest.fixture
def inbox(home: Path) -> Iterator[Appender]:
    assert not home.exists()
    appender = Appender(Ledger())
    yield appender
    appender.close()


def write(folder: Path, name: str = "orders", table: str = "orders") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(FILE.format(name=name, database=folder / "a.db", table=table))
    return path


def arrive(inbox: Appender, ids: Iterable[int]) -> None:
    inbox.append(
        [
            Arrival("shop", str(number), [], json.dumps({"id": number}).encode(), time.time())
            for number in ids
        ]
    )


def written(folder: Path, table: str = "orders") -> int:
    rows = query(folder / "a.db", f"SELECT count(*) FROM {table}")
    return int(rows[0][0]) if rows else 0


def more_is_written(folder: Path, than: int) -> bool:
    return written(folder) > than


def nothing_waits(*, pause: float) -> bool:
    time.sleep(pause)
    return sum(each.waiting for each in backlog().values()) == 0


@contextmanager
def draining(folder: Path, url: str) -> Iterator[list[str]]:
    """Run the drainer as a process under the Prefect server at this URL."""
    environment = {**os.environ, "PREFECT_API_URL": url}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-m", "astrio.deployments.draining", str(folder), str(os.getpid())]
    log = folder / "drainer.log"
    with log.open("w") as errors:
        process = subprocess.Popen(command, env=environment, stderr=errors, cwd=folder)
    try:
        yield []
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()


def test_events_become_rows_by_runs_that_prefect_knows(
    inbox: Appender, prefect_api: str, tmp_path: Path
) -> None:
    write(tmp_path)
    with draining(tmp_path, prefect_api):
        arrive(inbox, [1, 2])
        assert eventually(lambda: counts() == {"shop": {State.DONE: 2}}, 120)
        write(tmp_path, "copies", "copies")
        time.sleep(1.5)
        arrive(inbox, [3])
        assert eventually(lambda: counts() == {"shop": {State.DONE: 3}}, 60)
    assert (written(tmp_path), written(tmp_path, "copies")) == (3, 1)
    (latest,) = listed(Which(), limit=1)
    run = httpx.get(f"{prefect_api}/flow_runs/{latest.flow_run}", timeout=30).json()
    assert run["name"] in ("orders (events)", "copies (events)")
    assert "astrio" in run["tags"]
    assert set(run["parameters"]) == {"integration", "events"}
    sought = {"filter": {"event": {"name": ["astrio.webhook.received"]}}}
    told = httpx.post(f"{prefect_api}/events/filter", json=sought, timeout=30).json()["events"]
    assert latest.id in {each["payload"]["id"] for each in told}
    assert all(
        set(each["payload"]) <= {"id", "source", "delivery_id", "received_at"} for each in told
    )


@pytest.mark.slow
def test_events_wait_while_prefect_is_down_and_are_carried_out_when_it_is_up(
    inbox: Appender, tmp_path: Path, home: Path
) -> None:
    write(tmp_path)
    port = int(unused_url().rpartition(":")[2])
    url = f"http://127.0.0.1:{port}/api"
    with draining(tmp_path, url):
        arrive(inbox, range(50))
        time.sleep(15)
        assert counts() == {"shop": {State.RECEIVED: 50}}
        server = launch(home, port=port, temporary=True)
        try:
            assert eventually(lambda: is_healthy(url), 120)
            assert eventually(lambda: counts() == {"shop": {State.DONE: 50}}, 60)
            server.stop()
            arrive(inbox, range(50, 60))
            time.sleep(10)
            server = launch(home, port=port, temporary=True)
            assert eventually(lambda: counts() == {"shop": {State.DONE: 60}}, 180)
        finally:
            server.stop()
    assert written(tmp_path) == 60
    log = (tmp_path / "drainer.log").read_text()
    assert "events wait in the inbox" in log
    assert "answers again" in log


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.timeout(1200)
def test_killed_at_any_moment_no_event_is_lost_and_none_has_its_effect_twice(
    inbox: Appender, tmp_path: Path, kills: int
) -> None:
    write(tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    chance = random.Random(kills)
    arrived = 0
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", QUICK, str(tmp_path)], env=environment)
        ready = written(tmp_path)
        for _ in range(chance.randrange(1, 5)):
            arrive(inbox, range(arrived, arrived + 300))
            arrived += 300
            time.sleep(chance.uniform(0, 0.3))
        eventually(partial(more_is_written, tmp_path, ready), 10)
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = subprocess.Popen([sys.executable, "-c", QUICK, str(tmp_path)], env=environment)
    try:
        assert eventually(partial(nothing_waits, pause=1), 180), counts()
    finally:
        process.kill()
    assert counts() == {"shop": {State.DONE: arrived}}
    distinct = query(tmp_path / "a.db", "SELECT count(*), count(DISTINCT id) FROM orders")
    assert distinct == [(arrived, arrived)]


def test_it_ends_with_the_process_that_it_belongs_to(tmp_path: Path, home: Path) -> None:
    write(tmp_path)
    url = unused_url() + "/api"
    parent = subprocess.Popen(["sleep", "60"])
    environment = {**os.environ, "PREFECT_API_URL": url, "ASTRIO_HOME": str(home)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    # Its parent is this process, not the one that it is told to end with.
    command = [sys.executable, "-m", "astrio.deployments.draining", ".", str(parent.pid)]
    child = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
    parent.kill()
    parent.wait()
    child.communicate(timeout=60)
    assert child.returncode == 0


@pytest.mark.usefixtures("home")
def test_a_drainer_that_dies_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts, stay, told = tmp_path / "starts", tmp_path / "stay", list[str]()
    script = tmp_path / "python"
    script.write_text(
        f"#!/bin/sh\necho started >> {starts}\ntest -e {stay} && exec sleep 60\nexit 3\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr("astrio.deployments.companion.RESTART_SECONDS", 0.1)
    monkeypatch.setattr("astrio.deployments.companion.sys.executable", str(script))

    async def keep() -> None:
        stopping = asyncio.Event()
        keeping = asyncio.create_task(keep_draining(tmp_path, stopping, told.append))
        assert await asyncio.to_thread(eventually, lambda: len(told) >= 2)
        stay.touch()
        count = len(told)
        assert await asyncio.to_thread(
            eventually, lambda: starts.read_text().count("started") > count
        )
        stopping.set()
        await asyncio.wait_for(keeping, 30)

    asyncio.run(keep())
    assert told[0] == "warning: the drainer has ended (3); it is started again"


def test_files_that_change_are_taken_up_and_a_mistake_leaves_a_file_as_it_was(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    first = write(tmp_path)
    (tmp_path / "api.yaml").write_text(
        "name: api\nsource: {api: {base_url: https://shop.example.com}}\n"
        "push: {to: {url: 'sqlite:///a.db'}, table: t}\n"
    )
    sources = FolderSources(tmp_path, told.append)

    def names() -> list[str]:
        sources.current()  # what has just been written is looked at twice
        return [each.name for each in sources.current().get("shop", ())]

    assert names() == ["orders"]
    second = write(tmp_path, "copies", "copies")
    assert names() == ["copies", "orders"]
    second.write_text(second.read_text().replace("map", "mop"))
    assert names() == ["copies", "orders"]
    assert "unknown key `mop`" in told[0]
    second.unlink()
    assert names() == ["orders"]
    assert sources.file_of(sources.current()["shop"][0]) == first
