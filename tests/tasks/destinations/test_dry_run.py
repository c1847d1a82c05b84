"""Dry runs on SQLite, on PostgreSQL and on MySQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.dry import DryRunContract, dry_run, ended
from tests.contracts.stream import Stream, batch

from astrio.blocks.errors import AstrioError, DestinationError, FatalError, LeaseHeldError
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.sql.dry.destination import DryRun
from astrio.tasks.report import RunReport


class TestSqlite(DryRunContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'shop.db'}"

    def test_a_transaction_that_the_database_ends_leaves_nothing(
        self, stream: Stream, tmp_path: Path
    ) -> None:
        stream.write("id name", (1, "Ann"))
        stream.execute(
            "CREATE TRIGGER never BEFORE INSERT ON orders WHEN NEW.id = 3 "
            "BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
        )
        before = (tmp_path / "shop.db").read_bytes()
        with dry_run(stream) as destination:
            with pytest.raises(DestinationError, match="never"):
                destination.commit(Chunk([batch("id name", (2, "Bob"), (3, "Cid"))]))
            with pytest.raises(DestinationError, match="ended the dry run"):
                destination.commit(Chunk([batch("id name", (4, "Dan"))]))
            with pytest.raises(DestinationError, match="ended the dry run"):
                destination.abandon(RunReport(integration="shop"))
        assert (tmp_path / "shop.db").read_bytes() == before

    def test_a_slice_that_the_database_ends_leaves_nothing(self, url: str, tmp_path: Path) -> None:
        stream = Stream(url, mode="append", key=[])
        stream.write("id name", (1, "Ann"))
        stream.execute(
            "CREATE TRIGGER never BEFORE INSERT ON orders WHEN NEW.id = 3 "
            "BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
        )
        before = (tmp_path / "shop.db").read_bytes()
        with dry_run(stream) as destination:
            destination.begin_slice(atomic=True)
            with pytest.raises(DestinationError, match="never"):
                destination.commit(Chunk([batch("id name", (2, "Bob"), (3, "Cid"))]))
            with pytest.raises(AstrioError):
                destination.abandon(RunReport(integration="shop"))
        assert (tmp_path / "shop.db").read_bytes() == before
        stream.close()

    def test_the_journal_mode_stays_and_readers_go_on(self, stream: Stream, tmp_path: Path) -> None:
        stream.write("id name", (1, "Ann"))
        with closing(sqlite3.connect(tmp_path / "shop.db")) as other:
            other.execute("PRAGMA journal_mode = wal")
            with dry_run(stream) as destination:
                destination.commit(Chunk([batch("id name", (1, "Bob"))]))
                assert other.execute("SELECT name FROM orders").fetchall() == [("Ann",)]
                destination.renew()
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_folder_that_is_missing_is_told_as_by_a_run(self, tmp_path: Path) -> None:
        stream = Stream(f"sqlite:///{tmp_path / 'nowhere' / 'shop.db'}")
        destination = DryRun(stream.push, "shop", examples=[])
        with pytest.raises(DestinationError, match="does not exist"):
            destination.open(RunIdentity("dry", "shop"))
        destination.close()


class TestPostgresql(DryRunContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url

    def test_a_run_is_refused_at_once_while_it_is_at_work(self, stream: Stream) -> None:
        stream.write("id name", (1, "Ann"))
        with dry_run(stream) as destination:
            destination.commit(Chunk([batch("id name", (1, "Bob"), (2, "Cid"))]))
            destination.renew()
            with pytest.raises(LeaseHeldError):
                stream.open()
            assert stream.rows() == [(1, "Ann")]
        stream.write("id name", (1, "Bob"))
        assert stream.rows() == [(1, "Bob")]

    def test_a_deferred_constraint_refuses_what_it_would_refuse_in_a_run(
        self, stream: Stream
    ) -> None:
        stream.execute(
            "CREATE TABLE shops (id BIGINT PRIMARY KEY)",
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, "
            "shop BIGINT REFERENCES shops DEFERRABLE INITIALLY DEFERRED)",
        )
        with dry_run(stream) as destination, pytest.raises(AstrioError) as foretold:
            destination.commit(Chunk([batch("id shop", (1, 7))]))
        with pytest.raises(AstrioError) as real:
            stream.write("id shop", (1, 7))
        assert foretold.value.message == real.value.message

    def test_the_numbers_of_the_quarantine_are_not_used_up(self, stream: Stream) -> None:
        stream.write("id name", (None, "Ann"))
        (before,) = stream.rows("SELECT last_value FROM _astrio_quarantine_id_seq")
        with dry_run(stream) as destination:
            ended(destination, Chunk([batch("id name", (None, "Bob"))]))
        assert stream.rows("SELECT last_value FROM _astrio_quarantine_id_seq") == [before]


class TestMysql(DryRunContract):
    @pytest.fixture
    def url(self, mysql_url: str) -> str:
        return mysql_url

    def test_a_run_is_refused_at_once_while_it_is_at_work(self, stream: Stream) -> None:
        stream.write("id name", (1, "Ann"))
        with dry_run(stream) as destination:
            destination.commit(Chunk([batch("id name size", (1, "Bob", 5), (2, "Cid", 6))]))
            destination.renew()
            with pytest.raises(LeaseHeldError):
                stream.open()
            stream.execute("UPDATE orders SET name = 'Dan'")
        assert stream.rows() == [(1, "Dan")]

    def test_what_its_copy_of_the_table_lacks_is_told(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE shops (id BIGINT PRIMARY KEY)",
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, shop BIGINT REFERENCES shops (id))",
            "CREATE TRIGGER louder BEFORE INSERT ON orders FOR EACH ROW SET NEW.shop = 1",
        )
        with dry_run(stream) as destination:
            report = ended(destination, Chunk([batch("id shop", (1, None))]))
        assert report.warnings == [
            "The dry run works on a copy of orders, where 1 triggers and 1 foreign keys do not "
            "act: what they refuse or change is not told."
        ]

    @pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
    def test_a_table_is_widened_for_nobody_else(self, url: str, mode: str) -> None:
        stream = Stream(url, mode=mode, key=[] if mode == "append" else ["id"])
        stream.write("id n", (1, 5), (2, 6))
        with dry_run(stream) as destination:
            report = ended(
                destination,
                Chunk([batch("id n", (1, 5)), batch("id n more", (3, "x", True))]),
                Chunk([batch("id n more", (4, 0.5, False))]),
            )
        assert report.difference is not None
        assert report.difference.columns_added == {"more": "tinyint(1)"}
        assert report.difference.columns_widened == {"n": "bigint to longtext"}
        found = report.difference.model_dump(include={"new", "changed", "unchanged", "removed"})
        assert (
            found
            == {
                "append": {"new": 3, "changed": 0, "unchanged": 0, "removed": 0},
                "upsert": {"new": 2, "changed": 0, "unchanged": 1, "removed": 0},
                "replace": {"new": 2, "changed": 0, "unchanged": 1, "removed": 1},
            }[mode]
        )
        assert stream.rows() == [(1, 5), (2, 6)]
        assert stream.columns() == ["id", "n"]
        stream.close()

    def test_a_table_that_has_no_copy_is_never_written_to(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE other (id BIGINT)")
        with dry_run(stream) as destination:
            connection = destination._connection
            for statement in ("INSERT INTO other VALUES (1)", 'DELETE FROM "other"'):
                with pytest.raises(FatalError, match="written to the table other"):
                    connection.exec_driver_sql(statement)
        assert stream.rows("SELECT * FROM other") == []
