"""The SQLite destination."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.destination import DestinationContract


class TestSqlite(DestinationContract):
    json = staticmethod(json.loads)

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/shop.db"
