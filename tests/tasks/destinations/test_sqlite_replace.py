"""Mode `replace` in SQLite: the contract, and what the swap keeps of a user's table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.replacing import ReplaceContract
from tests.contracts.staging import finish, replaced, staged, staging_tables
from tests.contracts.stream import Stream

from astrio.blocks.errors import DestinationBusyError, DestinationError
from astrio.tasks.report import RunReport


class TestSqliteReplace(ReplaceContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/shop.db?timeout=5"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def stream(file: Path) -> Iterator[Stream]:
    stream = Stream(f"sqlite:///{file}?timeout=0.2", mode="replace")
    yield stream
    stream.close()


@contextmanager
def other(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def schema(file: Path) -> dict[str, str]:
    with other(file) as connection:
        query = (
            "SELECT name, sql FROM sqlite_master "
            "WHERE tbl_name NOT LIKE '%astrio%' AND name <> 'sqlite_sequence'"
        )
        return dict(connection.execute(query))


USERS_SCHEMA = """
CREATE TABLE [Orders] ( -- a comment, with a comma
    id BIGINT PRIMARY KEY,
    "v" DECIMAL(10, 2) /* odd, */ DEFAULT (1 + 1) CHECK (v <> 'bad, (really)'),
    `na"me` VARCHAR(20) COLLATE NOCASE NOT NULL DEFAULT 'it''s',
    twice AS (id * 2) STORED,
    parent REFERENCES orders (id),
    UNIQUE (v, parent)
) WITHOUT ROWID;
CREATE UNIQUE INDEX "by ""name" ON orders ([na"me] DESC, lower(parent)) WHERE v IS NOT NULL;
CREATE INDEX by_v ON "Orders" (v);
CREATE TABLE log (id);
CREATE TABLE children (o REFERENCES orders (id));
CREATE TRIGGER noted AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (new.id); END;
CREATE TRIGGER of_log AFTER INSERT ON log BEGIN UPDATE orders SET v = 9 WHERE id = new.id; END;
CREATE TRIGGER gone BEFORE DELETE ON orders BEGIN INSERT INTO log VALUES (-old.id); END;
CREATE VIEW numbers AS SELECT o.id, c.o FROM orders AS o LEFT JOIN children AS c ON c.o = o.id;
CREATE TRIGGER viewed INSTEAD OF INSERT ON numbers BEGIN INSERT INTO log VALUES (0); END;
INSERT INTO children VALUES (1), (2);
INSERT INTO orders (id, v, [na"me]) VALUES (1, 2.5, 'a'), (3, 3, 'b');
DELETE FROM log;
"""


@pytest.fixture
def users(stream: Stream, file: Path) -> Stream:
    with other(file) as connection:
        connection.executescript(USERS_SCHEMA)
    return stream


def test_the_swap_keeps_all_that_users_built_on_the_table(users: Stream, file: Path) -> None:
    before = schema(file)
    for _ in range(2):
        replaced(users, 'id v na"me', (1, 1.5, "x"), (2, 2.5, "y"))
    after = schema(file)
    assert after.pop("Orders") == before.pop("Orders").replace("[Orders]", '"Orders"')
    assert after == before
    assert users.rows('SELECT id, v, "na""me", twice FROM orders') == [
        (1, 1.5, "x", 2),
        (2, 2.5, "y", 4),
    ]
    assert users.rows("SELECT * FROM numbers") == [(1, 1), (2, 2)]
    assert users.rows("PRAGMA integrity_check") == [("ok",)]
    assert users.rows("PRAGMA foreign_key_check") == []


def test_triggers_do_not_fire_for_a_swap_but_afterwards_as_ever(users: Stream, file: Path) -> None:
    replaced(users, "id", (5,))
    assert users.rows("SELECT * FROM log") == []
    with other(file) as connection:
        connection.execute("INSERT INTO orders (id, v) VALUES (6, 1)")
        connection.execute("DELETE FROM orders WHERE id = 5")
    assert users.rows("SELECT * FROM log") == [(6,), (-5,)]
    assert users.rows("SELECT v FROM orders WHERE id = 6") == [(9,)]


def test_what_the_users_table_refuses_is_told_by_row(users: Stream) -> None:
    rows = [(1, "bad, (really)", "a"), (2, 5, "same"), (3, 6, "SAME"), (4, 7, None), (5, 8, "z")]
    parented = ((*row, 0) for row in rows)
    written, records = replaced(users, 'id v na"me parent', *parented)
    assert [reject.key for reject in written.failed] == [(1,), (3,), (4,)]
    assert records.deleted == 2
    assert users.rows("SELECT id FROM orders") == [(2,), (5,)]


def test_a_failed_swap_leaves_the_schema_as_it_was(
    users: Stream, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, destination = schema(file), staged(users, "id fresh v", (7, 1, "text"))

    def broken(*_: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr("astrio.tasks.destinations.sql.checkpoint.end_run", broken)
    with pytest.raises(ArithmeticError):
        finish(destination)
    destination.abandon()
    assert schema(file) == before
    assert users.rows("SELECT id FROM orders") == [(1,), (3,)]


def test_numbers_once_given_are_not_given_again(stream: Stream, file: Path) -> None:
    stream.push = stream.push.model_copy(update={"key": ("code",)})
    with other(file) as connection:
        connection.execute(
            "CREATE TABLE orders (number INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT)"
        )
        connection.execute("INSERT INTO orders (code) VALUES ('a'), ('b')")
    replaced(stream, "code", ("b",), ("c",))
    assert stream.rows("SELECT * FROM orders") == [(3, "b"), (4, "c")]
    replaced(stream, "code")
    replaced(stream, "code", ("d",))
    assert stream.rows("SELECT * FROM orders") == [(5, "d")]


def test_a_required_column_that_comes_meanwhile_fails_the_run(stream: Stream, file: Path) -> None:
    replaced(stream, "id", (1,))
    destination = staged(stream, "id", (2,))
    with other(file) as connection:
        connection.executescript(
            "DROP TABLE orders; CREATE TABLE orders (id BIGINT PRIMARY KEY, zip TEXT NOT NULL); "
            "INSERT INTO orders VALUES (1, '007')"
        )
    with pytest.raises(DestinationError, match="NOT NULL column"):
        finish(destination)
    assert stream.rows() == [(1, "007")]


def test_a_number_that_sqlite_gives_needs_no_field(stream: Stream, file: Path) -> None:
    with other(file) as connection:
        connection.execute("CREATE TABLE orders (n INTEGER NOT NULL PRIMARY KEY, id BIGINT)")
    replaced(stream, "id", (7,))
    assert stream.rows("SELECT n, id FROM orders") == [(1, 7)]


def test_a_reader_that_holds_up_the_swap_leaves_the_old_rows(stream: Stream, file: Path) -> None:
    replaced(stream, "id", (1,))
    destination = staged(stream, "id", (2,))
    with other(file) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM orders").fetchone()
        with pytest.raises(DestinationBusyError):
            finish(destination)
    destination.abandon(RunReport(integration="shop", state="failed"))
    assert stream.rows() == [(1,)]
    assert staging_tables(stream) == []


def test_the_staged_rows_may_wait_in_a_file_with_a_write_ahead_log(
    stream: Stream, file: Path
) -> None:
    with other(file) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        replaced(stream, "id", (1,))
        connection.execute("BEGIN")
        assert connection.execute("SELECT * FROM orders").fetchall() == [(1,)]
        replaced(stream, "id", (2,), (3,))
        assert connection.execute("SELECT * FROM orders").fetchall() == [(1,)]
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT * FROM orders").fetchall() == [(2,), (3,)]
