"""Faults: whatever happens, an event whose sender heard 2xx is in the inbox."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.command import eventually
from tests.support.gateway import (
    KEY,
    OTHER_KEY,
    Running,
    gateway,
    integration,
    signed,
    write,
)
from tests.support.postgres import PostgresServer

from astrio.tasks.webhooks.inbox.looking import Which, listed


@dataclass
class Load:
    """Senders that go on whatever they hear, each delivery once.

    Attributes:
        accepted: ids of deliveries that were answered with 2xx.
        answers: every status.
    """

    running: Running
    keys: list[str] = field(default_factory=lambda: [KEY])
    accepted: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def _send(self) -> None:
        while not self._over.is_set():
            delivery = signed(b'{"id": 1}', key=random.choice(self.keys))
            try:
                status = self.running.post(delivery).status
            except OSError:
                time.sleep(0.01)
                continue
            self.answers.append(status)
            if status < 300:
                self.accepted.append(delivery.id)

    @contextmanager
    def under_way(self, senders: int = 8) -> Iterator[None]:
        """Send until the block ends."""
        self._over.clear()
        threads = [threading.Thread(target=self._send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


@pytest.fixture(autouse=True)
def _its_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "astrio-home"))
    write(tmp_path)


def stored() -> set[str | None]:
    return {event.delivery_id for event in listed(Which(), limit=10**6)}


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_killed_under_load_no_accepted_event_is_lost(tmp_path: Path, kills: int) -> None:
    accepted: list[str] = []
    for _ in range(kills):
        with gateway(tmp_path) as running:
            load = Load(running)
            with load.under_way():
                assert eventually(lambda found=load.accepted: len(found) > 20)
                time.sleep(random.uniform(0, 0.3))
                running.process.send_signal(signal.SIGKILL)
                running.process.wait()
        accepted += load.accepted
    assert set(accepted) <= stored()
    assert len(listed(Which(), limit=10**6)) == len(stored())
    with closing(sqlite3.connect(tmp_path / "astrio-home" / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    words = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if (
        mount is None
        or subprocess.run([mount, *words], capture_output=True, check=False).returncode
    ):
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_is_no_loss_and_no_lie(tmp_path: Path, small_disk: Path) -> None:
    ledger = f"sqlite:///{small_disk}/ledger.db"
    with gateway(tmp_path, environment={"ASTRIO_LEDGER_URL": ledger}) as running:
        accepted = []
        while True:
            delivery = signed(os.urandom(20_000).hex().encode())
            answered = running.post(delivery)
            if answered.status == 503:
                break
            assert answered.status == 202
            accepted.append(delivery.id)
            assert len(accepted) < 100
        assert int(answered.headers["retry-after"]) >= 1
        assert running.send("GET", "/health/ready").status == 503
        assert running.send("GET", "/health/live").status == 200
        assert "the inbox cannot be written" in running.told()
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        later = signed()
        assert running.post(later).status == 202
        assert running.send("GET", "/health/ready").status == 200
        assert eventually(lambda: "can be written again" in running.told())
    with closing(sqlite3.connect(small_disk / "ledger.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT delivery_id FROM _astrio_event"
        assert {row[0] for row in connection.execute(query)} == {*accepted, later.id}


def test_a_locked_inbox_delays_and_loses_nothing(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        load = Load(running)
        running.post(signed())
        ledger = sqlite3.connect(tmp_path / "astrio-home" / "ledger.db")
        with closing(ledger) as connection, load.under_way():
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(2)
            connection.rollback()
            assert eventually(lambda: len(load.accepted) > 20)
        assert set(load.answers) <= {202, 503}
    assert set(load.accepted) <= stored()


def test_postgresql_that_restarts_is_no_loss(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", postgres_url)
    with gateway(tmp_path, environment={"ASTRIO_LEDGER_URL": postgres_url}) as running:
        load = Load(running)
        with load.under_way():
            assert eventually(lambda: len(load.accepted) > 20)
            postgres.restart("immediate")
            before = len(load.accepted)
            assert eventually(lambda: len(load.accepted) > before + 20)
        assert set(load.answers) <= {202, 503}
    assert set(load.accepted) <= stored()


def test_while_secrets_are_rotated_no_valid_request_is_refused(tmp_path: Path) -> None:
    both = {"NEW_SECRET": OTHER_KEY}
    with gateway(tmp_path, environment=both) as running:
        load = Load(running)
        with load.under_way():
            assert eventually(lambda: len(load.accepted) > 20)
            write(tmp_path, integration(secret=["${env:NEW_SECRET}", "${env:SHOP_SECRET}"]))
            assert eventually(lambda: running.post(signed(key=OTHER_KEY)).status == 202)
            load.keys = [OTHER_KEY, KEY]
            time.sleep(0.5)
            load.keys = [OTHER_KEY]
            time.sleep(0.5)
            write(tmp_path, integration(secret="${env:NEW_SECRET}"))
            assert eventually(lambda: running.post(signed(key=KEY)).status == 401)
            running.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
    assert set(load.answers) == {202}
    assert set(load.accepted) <= stored()
