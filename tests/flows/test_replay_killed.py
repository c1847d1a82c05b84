"""kill -9 in the middle of a replay: begun again, it has written every record once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import run
from tests.flows.test_replay import BROKEN, MENDED, counts, keys, replay

from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.integration import Integration

COUNT = 12_000
REPLAY = """
import asyncio, os, signal, sys
from astrio.flows.engine import engine
from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.integration import Integration
from astrio.flows.replaying import Replay
from astrio.tasks.destinations.sql import replaying
{before}
asyncio.run(engine(Replay(Integration.model_validate_json(sys.argv[1]))))
"""
IN_THE_SECOND_TRANSACTION = """
settle, calls = replaying.settle, []
def killed(*given):
    settled = settle(*given)
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return settled
replaying.settle = killed
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/items.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def mended(url: str, home: Path) -> Integration:
    """An integration with all but one of its records in the quarantine, and a mended mapping."""
    records = [record(number, name="bad") for number in range(COUNT)] + [record(COUNT)]
    push = {"to": {"url": url}, "table": "items", "mode": "append"}
    with cursor_api(records, size=6000) as server:
        plan = integration(server.url, Path("unused.db"), map=BROKEN, push=push)
        assert counts(run(plan)) == {"fetched": COUNT + 1, "rejected": COUNT, "written": 1}
    return plan.model_copy(update={"map": MENDED})


def begin(plan: Integration, before: str = "") -> subprocess.Popen[str]:
    """Begin a replay in a process of its own, which runs `before` first."""
    words = [sys.executable, "-c", REPLAY.format(before=before)]
    document = plan.model_dump_json(by_alias=True, exclude_none=True, context={SHOW_SECRETS: True})
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([*words, document], env=environment, text=True)


def ids(url: str) -> list[Any]:
    """Return the ids of all rows."""
    database = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )
    with database.connect() as connection:
        return list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())


def check(plan: Integration, url: str) -> None:
    """Check that rows and open records are each other's rest; then replay, and check the end."""
    still_open = len(keys(plan))
    assert len(ids(url)) == COUNT + 1 - still_open
    report = replay(plan)
    assert report.records.fetched == report.records.written == still_open
    assert ids(url) == list(range(COUNT + 1))
    assert keys(plan) == []


def test_a_replay_killed_before_it_commits_has_written_what_it_resolved(
    mended: Integration, url: str
) -> None:
    process = begin(mended, IN_THE_SECOND_TRANSACTION)
    assert process.wait(timeout=120) == -signal.SIGKILL
    assert 0 < len(keys(mended)) < COUNT
    check(mended, url)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_replay_killed_at_random_moments_writes_each_record_once(
    mended: Integration, url: str
) -> None:
    chance, killed = random.Random(1), 0
    while (left := len(keys(mended))) and killed < 20:
        process = begin(mended)
        while process.poll() is None and len(keys(mended)) == left:
            time.sleep(0.02)
        time.sleep(chance.random() * 0.3)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert len(ids(url)) == COUNT + 1 - len(keys(mended))
    assert killed > 0
    check(mended, url)
