"""`astrio up` serves a folder's triggers: a real server, a real deliverer, a real receiver."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deployments.cli.test_up import Up, get, processes, start
from tests.support.command import astrio, eventually
from tests.support.server import Server, serve

TRIGGER = """\
name: sign-ups
on: user.*
payload: {{userId: "{{{{user.id}}}}"}}
push: {{to: {{webhook: "{url}", allow_private_hosts: ["{host}"]}}}}
"""


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serve(lambda _: {}) as server:
        yield server


@pytest.fixture
def up(tmp_path: Path, receiver: Server) -> Iterator[Up]:
    host = receiver.url.removeprefix("http://")
    (tmp_path / "sign-ups.yaml").write_text(TRIGGER.format(url=receiver.url, host=host))
    running = start(tmp_path)
    try:
        assert running.tells("The UI is at", 120), running.lines
        yield running
    finally:
        astrio("down", folder=tmp_path, environment=running.environment())
        running.process.kill()


def emit(up: Up, number: int) -> None:
    data = json.dumps({"user": {"id": number}})
    words = ("events", "emit", "user.created", "--data", data)
    ended = astrio(*words, folder=up.folder, environment=up.environment())
    assert ended.code == 0, ended


def arrived(receiver: Server) -> list[int]:
    return [each.json()["userId"] for each in receiver.requests]


def runs(up: Up) -> list[str]:
    return [each["name"] for each in get(up, "/flow_runs/filter")]


def deliverer(up: Up) -> list[int]:
    return [pid for pid, command in processes(up.folder) if "deployments.delivering" in command]


@pytest.mark.timeout(400)
def test_an_emitted_event_is_delivered_by_a_run_of_its_own_also_after_a_kill(
    up: Up, receiver: Server
) -> None:
    assert up.tells("sign-ups: user.* to 1 webhook")
    emit(up, 1)
    assert eventually(lambda: arrived(receiver) == [1], 60), up.lines
    assert eventually(lambda: "deliveries" in runs(up))  # Prefect names a run once it has begun
    [pid] = deliverer(up)
    os.kill(pid, signal.SIGKILL)
    emit(up, 2)
    assert eventually(lambda: arrived(receiver) == [1, 2], 90), up.lines
    (up.folder / "sign-ups.yaml").unlink()
    assert up.tells("its trigger is gone")
    up.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: up.process.poll() is not None, 90)
    assert deliverer(up) == []
