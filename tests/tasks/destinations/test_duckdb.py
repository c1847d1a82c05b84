"""The DuckDB destination: what is true of it alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.destination import DestinationContract
from tests.contracts.dry import DryRunContract
from tests.contracts.replacing import ReplaceContract

from astrio.tasks.destinations.sql.dialect import LockedError


class TestDuckdb(DestinationContract):
    beside = LockedError
    refused_by = "age >= 18"
    text = "varchar"

    def read_json(self, stored: Any) -> Any:
        return json.loads(stored)

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"


class TestReplace(ReplaceContract):
    refused_by = "age >= 18"

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"


class TestDryRun(DryRunContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"
