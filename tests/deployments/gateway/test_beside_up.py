"""`astrio up` receives webhooks, and their integrations run."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.command import begin, eventually
from tests.support.gateway import KEY, Running, integration, signed, write


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rows(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(folder / "shop.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM orders").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.slow
def test_up_receives_webhooks_and_runs_their_integrations(tmp_path: Path) -> None:
    write(tmp_path, integration())
    port = free_port()
    environment = {
        "SHOP_SECRET": KEY,
        "PREFECT_API_URL": None,
        "PREFECT_HOME": str(tmp_path / "prefect-home"),
    }
    process = begin("up", "--gateway-port", str(port), folder=tmp_path, environment=environment)
    running = Running(process, port)
    try:

        def answers() -> bool:
            try:
                return running.send("GET", "/health/ready").status == 200
            except OSError:
                return False

        assert eventually(answers, 120)
        answered = running.post(signed(b'{"id": 7}'))
        assert json.loads(answered.body) == {"status": "accepted"}
        assert eventually(lambda: rows(tmp_path) == 1, 120)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
        assert process.returncode == 0
        with pytest.raises(OSError, match=r"."):
            running.send("GET", "/health/live")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
