"""A project's folder with Python of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module into the folder `connectors` of an empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASTRIO_CONNECTORS", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])  # imports add the folder, which is this test's

    def write(name: str, text: str) -> Path:
        file = tmp_path / "connectors" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write
