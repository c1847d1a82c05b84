"""Dry runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contracts.dry import DryRunContract, dry_run, ended
from tests.contracts.stream import Stream, batch

from astrio.blocks.errors import AstrioError, DestinationError, LeaseHeldError
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
