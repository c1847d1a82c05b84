"""Pages that have not changed, in each database."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contracts.unchanged import UnchangedContract


class TestSqlite(UnchangedContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'shop.db'}"


class TestDuckdb(UnchangedContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"


class TestPostgresql(UnchangedContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


class TestMysql(UnchangedContract):
    @pytest.fixture
    def url(self, mysql_url: str) -> str:
        return mysql_url
