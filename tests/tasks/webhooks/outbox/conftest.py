"""Each test has a ledger of its own: SQLite in a home of its own, and PostgreSQL too if it asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.webhooks.outbox.delivering import SECRET


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ledger's kind of database; each test runs on both."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))
    return str(request.param)
