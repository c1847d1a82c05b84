"""kill -9 at random moments of a sync, run again: nothing lost, nothing twice, balanced."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.flows.api import cursor_api, integration, record

RECORDS = 50_000
COMMAND = [sys.executable, "-c", "from astrio.deployments.cli import main; main()", "run"]


def start(file: Path, api_url: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PREFECT_API_URL": api_url,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen(
        [*COMMAND, str(file), "--json", "--wait"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def committed(database: Path) -> int:
    try:
        with sqlite3.connect(database, timeout=30) as connection:
            return int(connection.execute("SELECT count(*) FROM items").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def ended(database: Path) -> bool:
    """Whether the sync had closed its account; another run of it would be a new one."""
    with sqlite3.connect(database, timeout=30) as connection:
        query = "SELECT count(*) FROM _astrio_run WHERE state LIKE 'completed%'"
        return bool(connection.execute(query).fetchone()[0])


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    report: dict[str, Any] = json.loads(out)
    return report


def kill_in_the_middle(file: Path, database: Path, api_url: str, chance: random.Random) -> bool:
    """Start a run, kill it once it has committed something new; False if it was done before."""
    before, process = committed(database), start(file, api_url)
    while process.poll() is None and committed(database) <= before:
        time.sleep(0.01)
    time.sleep(chance.random() * 0.4)
    if process.poll() is not None:
        finished(process)
        return False
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return True


def kill_and_resume(tmp_path: Path, api_url: str, kills: int, seed: int, mode: str) -> None:
    records = [record(number) for number in range(RECORDS)]
    database, file = tmp_path / "items.db", tmp_path / "items.yaml"
    chance, killed, resumed = random.Random(seed), 0, 0
    with cursor_api(records, size=500) as server:
        plan = integration(server.url, database)
        document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
        document["push"]["mode"] = mode
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        while killed < kills:
            killed += kill_in_the_middle(file, database, api_url, chance)
            if ended(database):  # killed too late, or not at all: begin another sync
                database.unlink()
            else:
                resumed += 1
        report = finished(start(file, api_url))
    counts = report["records"]
    assert report["state"] == "completed"
    assert counts["fetched"] == RECORDS
    assert counts["written"] + counts["unchanged"] == RECORDS
    with sqlite3.connect(database) as connection:
        stored = connection.execute(
            "SELECT id, name, email, updated_at FROM items ORDER BY id"
        ).fetchall()
    assert stored == [tuple(each.values()) for each in records]
    assert resumed > 0


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_sync_killed_at_random_moments_ends_equal_to_its_source(
    tmp_path: Path, prefect_api: str, mode: str
) -> None:
    kill_and_resume(tmp_path, prefect_api, kills=3, seed=1, mode=mode)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_twenty_kills(tmp_path: Path, prefect_api: str, mode: str) -> None:
    kill_and_resume(tmp_path, prefect_api, kills=20, seed=2, mode=mode)
