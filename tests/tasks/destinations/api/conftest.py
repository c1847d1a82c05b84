"""Each test has a ledger of its own; those that ask for `ledger` run on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    assert not home.exists()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))
    name: str = request.param
    return name
