"""Partitions, and chunks of a backfill, over the workers of a Prefect work pool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from tests.flows.test_partitions import STORES, counts, document, shops
from tests.support.command import astrio, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PREFECT = [sys.executable, "-m", "prefect"]


@contextmanager
def worker(name: str, pool: str, folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Run a worker process; yields what it prints."""
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*PREFECT, "worker", "start", "-p", pool, "-t", "process", "-n", name, "--limit", "2"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def test_two_workers_share_the_partitions_and_the_chunks_of_a_backfill(
    tmp_path: Path, prefect_api: str
) -> None:
    pool = f"pool-{uuid4().hex[:6]}"
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_api,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "ASTRIO_HOME": str(tmp_path / "astrio-home"),
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO",
    }
    create = [*PREFECT, "work-pool", "create", pool, "--type", "process"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    with shops() as server, ExitStack() as stack:
        given = document(server, tmp_path)
        (tmp_path / "items.yaml").write_text(yaml.safe_dump(given))
        called = {"folder": tmp_path, "environment": {"PREFECT_API_URL": prefect_api}}
        deployed = astrio("deploy", "items.yaml", "--pool", pool, **called)
        assert deployed.code == 0, deployed.err
        logs = [
            stack.enter_context(worker(name, pool, tmp_path, environment))
            for name in ("first", "second")
        ]
        begin = [*PREFECT, "deployment", "run", "sync/items"]
        subprocess.run(begin, env=environment, check=True, capture_output=True, cwd=tmp_path)
        assert eventually((tmp_path / "items.db").exists, 180)
        assert eventually(lambda: whole(tmp_path), 300)
        words = ("--since", "2026-01-01", "--until", "2026-01-02", "--chunk", "12h", "--pool", pool)
        backfill = astrio("backfill", "items.yaml", *words, "--json", **called)
        assert backfill.code == 0, backfill.err
        (tmp_path / "items.yaml").unlink()
        (tmp_path / "other.yaml").write_text(yaml.safe_dump({**given, "name": "other"}))
        pruned = astrio("deploy", "--pool", pool, "--prune", "--json", **called)
        assert pruned.code == 0, pruned.err
    left = subprocess.run(
        [*PREFECT, "deployment", "ls"], env=environment, check=True, capture_output=True, text=True
    )
    assert "sync/other" in left.stdout
    assert "/items" not in left.stdout
    report = backfill.json()
    assert report["records"]["fetched"] == report["records"]["unchanged"] == 15
    assert {each["state"] for each in report["parts"]} == {"completed"}
    assert len(report["parts"]) == 6
    for log in logs:
        assert "submitting flow run" in log.read_text()


def whole(folder: Path) -> bool:
    """Whether every partition has been read to its end."""
    time.sleep(0.2)
    return counts(folder) == STORES
