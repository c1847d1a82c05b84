"""Rows that the source has no more, in each database."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contracts.stream import Stream, batch
from tests.contracts.vanishing import VanishingContract, gone, telling, whole


class TestSqlite(VanishingContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'shop.db'}"

    def guarded(self, table: str) -> list[str]:
        # SQLite minds foreign keys only where a connection asks for it.
        when = f"BEFORE DELETE ON {table} WHEN OLD.id = 1"
        return [f"CREATE TRIGGER guard {when} BEGIN SELECT RAISE(ABORT, 'kept'); END"]

    def test_keys_are_met_as_the_table_compares_them(self, url: str) -> None:
        stream = Stream(url, vanished="delete")
        stream.execute("CREATE TABLE orders (id TEXT COLLATE NOCASE PRIMARY KEY)")
        whole(stream, batch("id", ("a",), ("b",), ("c",), ("d",), ("e",)))
        assert whole(stream, batch("id", ("A",), ("b",), ("c",), ("d",))).records.deleted == 1
        stream.close()


class TestDuckdb(VanishingContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"


class TestPostgresql(VanishingContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url

    def test_keys_are_met_whatever_their_type(self, url: str) -> None:
        stream = Stream(url, vanished="delete", deleted={"when": "gone", "rows": "delete"})
        stream.execute("CREATE TABLE orders (id uuid PRIMARY KEY, name varchar(3))")
        keys = [f"0000000{number}-0000-0000-0000-000000000000" for number in range(6)]
        whole(stream, batch("id", *[(key,) for key in keys]))
        assert whole(stream, batch("id", *[(key,) for key in keys[1:]])).records.deleted == 1
        told = telling("id", gone=[gone(keys[1]), gone("no uuid")])
        written = self.told(stream, told)
        assert (written.deleted, [each.key for each in written.failed]) == (1, [("no uuid",)])
        assert len(stream.rows()) == 4
        stream.close()


class TestMysql(VanishingContract):
    @pytest.fixture
    def url(self, mysql_url: str) -> str:
        return mysql_url
