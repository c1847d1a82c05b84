"""Each test of the command line has a folder of its own, and is in it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, current while the test runs, with an empty ASTRIO_HOME elsewhere."""
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place
