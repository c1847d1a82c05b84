"""The SQLite destination: what is true of it alone."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.contracts.destination import DestinationContract
from tests.contracts.stream import Stream, batch, rejected

from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    DestinationBusyError,
    DestinationError,
)
from astrio.tasks.batch import Page
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    destination_reference,
    last_runs,
    open_destination,
    quarantine_rows,
    stream_status,
)
from astrio.tasks.destinations.quarantined import StreamStatus
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.report import RunReport


class TestSqlite(DestinationContract):
    def read_json(self, stored: Any) -> Any:
        return json.loads(stored)

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/shop.db?timeout=5"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def stream(file: Path) -> Iterator[Stream]:
    stream = Stream(f"sqlite:///{file}?timeout=0.2")
    yield stream
    stream.close()


@contextmanager
def other(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def declared(stream: Stream) -> dict[str, str]:
    query = "SELECT name, type FROM pragma_table_info('orders')"
    return {str(name): str(kind) for name, kind in stream.rows(query)}


# Types.


def test_columns_are_declared_by_the_values_seen(stream: Stream) -> None:
    stream.write("id f b t j n u", (1, 0.5, True, "x", {}, 10**20, None))
    assert declared(stream) == {
        "id": "BIGINT",
        "f": "DOUBLE",
        "b": "BOOLEAN",
        "t": "TEXT",
        "j": "JSON",
        "n": "TEXT",
        "u": "TEXT",
    }


def test_what_sqlite_has_no_exact_type_for_is_text(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    values = (
        *(10**20, Decimal("1.50"), moment, date(2026, 1, 2), time(3, 4)),
        UUID("12345678123456781234567812345678"),
    )
    stream.write("id a b c d e f", (1, *values))
    assert stream.rows() == [
        (
            *(1, "100000000000000000000", "1.50", "2026-01-02T03:04:05.000006+00:00"),
            *("2026-01-02", "03:04:00", "12345678-1234-5678-1234-567812345678"),
        )
    ]


def test_an_integer_beyond_64_bits_turns_its_column_into_text(stream: Stream) -> None:
    stream.write("id v", (1, 5), (2, -(2**63)), (3, 2**63 - 1))
    assert declared(stream)["v"] == "BIGINT"
    stream.write("id v", (4, 2**63), (5, -(2**63) - 1))
    assert [row[1] for row in stream.rows()] == [
        "5",
        str(-(2**63)),
        str(2**63 - 1),
        str(2**63),
        str(-(2**63) - 1),
    ]


def test_not_a_number_fails_its_row(stream: Stream) -> None:
    written = stream.write("id v", (1, float("nan")), (2, float("inf")))
    assert [reject.key for reject in written.failed] == [(1,)]
    assert stream.rows() == [(2, float("inf"))]


def test_objects_are_compact_text_with_their_keys_as_they_came(stream: Stream) -> None:
    value = {"z": 1, "a": {"n": Decimal("1.5"), "d": date(2026, 1, 2)}, "é": ["ü", None, True]}
    stream.write("id v", (1, value))
    assert stream.rows() == [
        (1, '{"z":1,"a":{"n":"1.5","d":"2026-01-02"},"é":["ü",null,true]}'),
    ]


def test_a_users_column_without_a_type_takes_values_as_they_are(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id, v)")
    stream.write("id v", (1, 5), (2, "5"), (3, 0.5), (4, [1]), (5, 2**70), (6, 2**70 * 1.0))
    assert [row[1] for row in stream.rows()] == [5, "5", 0.5, "[1]", str(2**70), 2.0**70]


@pytest.mark.parametrize(
    "kind", ["DATETIME", "DECIMAL(10, 2)", "NUMERIC", "int", "Boolean", "JSON"]
)
def test_no_affinity_of_a_users_column_changes_a_text(stream: Stream, kind: str) -> None:
    stream.execute(f"CREATE TABLE orders (id BIGINT PRIMARY KEY, v {kind})")
    stream.write("id v", (1, "00123"), (2, "1e3"))
    assert [row[1] for row in stream.rows()] == ["00123", "1e3"]


def test_floats_go_into_a_users_decimal_column(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, v DECIMAL(10, 2))")
    stream.write("id v", (1, 12.5), (2, 3))
    assert stream.rows() == [(1, 12.5), (2, 3)]
    assert declared(stream)["v"] == "DECIMAL(10, 2)"


def test_a_table_of_very_many_columns_is_upserted(stream: Stream) -> None:
    columns = "id " + " ".join(f"c{number}" for number in range(1500))
    row = (1, *range(1500))
    stream.write(columns, row)
    assert stream.write(columns, row, (2, *range(1500))).unchanged == 1


# Rebuilding a table.

USERS_TABLE = """
CREATE TABLE [orders] ( -- a comment, with a comma
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    "v" DECIMAL(10, 2) /* odd, */ DEFAULT (1 + 1) CHECK (v <> 'bad, (really)'),
    `na"me` VARCHAR(20) COLLATE NOCASE NOT NULL DEFAULT 'it''s',
    twice AS (id * 2) STORED,
    parent REFERENCES parents (id),
    flag BOOL,
    blob BLOB,
    odd$ UNSIGNED BIG INT,
    UNIQUE ("na""me", flag),
    FOREIGN KEY (parent) REFERENCES parents (id)
) STRICT_NOT
"""


@pytest.fixture
def users(stream: Stream, file: Path) -> Stream:
    with other(file) as connection:
        connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.execute(USERS_TABLE.replace(" STRICT_NOT", ""))
        connection.execute("CREATE INDEX by_flag ON orders (flag) WHERE flag")
        connection.execute("CREATE TABLE log (id)")
        connection.execute("CREATE TABLE children (o REFERENCES orders (id))")
        connection.execute(
            "CREATE TRIGGER noted AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (new.id); END"
        )
        connection.execute("CREATE VIEW flags AS SELECT id, flag FROM orders")
        connection.execute(
            'INSERT INTO orders (id, v, [na"me], flag, blob) VALUES '
            "(1, 2.5, 'a', 1, x'00ff'), (2, 3, 'b', 0, NULL), (3, NULL, 'c', NULL, 'text')"
        )
    return stream


def schema(file: Path) -> dict[str, str]:
    with other(file) as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%astrio%'"
        return dict(connection.execute(query))


def test_a_rebuilt_table_keeps_everything_but_the_type(users: Stream, file: Path) -> None:
    before = schema(file)
    with other(file) as connection:
        connection.execute("DELETE FROM log")
    written = users.write('id v flag odd$ na"me', (4, "00123", "x", "y", "d"))
    assert written.written == 1
    after = schema(file)
    assert after.pop("orders") == (
        before.pop("orders")
        .replace("[orders]", '"orders"')
        .replace('"v" DECIMAL(10, 2)', '"v" TEXT')
        .replace("flag BOOL", "flag TEXT")
        .replace("odd$ UNSIGNED BIG INT", "odd$ TEXT")
    )
    assert after == before
    assert users.rows('SELECT id, v, "na""me", twice, flag, blob FROM orders') == [
        (1, "2.5", "a", 2, "true", b"\x00\xff"),
        (2, "3", "b", 4, "false", None),
        (3, None, "c", 6, None, "text"),
        (4, "00123", "d", 8, "x", None),
    ]
    assert users.rows("SELECT * FROM log") == [(4,)]
    assert users.rows("SELECT flag FROM flags WHERE id = 1") == [("true",)]
    assert users.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_rebuilt_table_still_refuses_what_the_user_forbids(users: Stream) -> None:
    written = users.write('id v na"me', (4, "bad, (really)", "d"), (5, "good", None), (6, "x", "e"))
    assert [reject.key for reject in written.failed] == [(4,), (5,)]
    assert written.written == 1


def test_a_column_that_cannot_be_rebuilt_is_told(users: Stream) -> None:
    with pytest.raises(DestinationError, match="AUTOINCREMENT"):
        users.write('id na"me', ("x", "y"))
    assert len(users.rows("SELECT id FROM orders")) == 3


def test_a_table_that_rolls_back_whole_transactions_fails_the_chunk(
    stream: Stream, file: Path
) -> None:
    with other(file) as connection:
        connection.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, v TEXT UNIQUE ON CONFLICT ROLLBACK)"
        )
    destination = stream.open()
    pages = [batch("id v", (1, "a"), (2, "b"), (3, "a"))]
    with pytest.raises(DestinationError, match="rolls back all rows"):
        destination.commit(Chunk(pages, lambda _: {"page": 2}))
    assert stream.rows() == []
    destination.commit(Chunk([batch("id v", (4, "a"))]))
    assert stream.rows() == [(4, "a")]
    assert not stream_status(stream.push, "shop").unfinished


def test_rows_that_share_a_statement_have_outcomes_of_their_own(stream: Stream, file: Path) -> None:
    with other(file) as connection:
        connection.executescript(
            """
            CREATE TABLE orders (id BIGINT PRIMARY KEY, v TEXT CHECK (v <> 'refused'));
            INSERT INTO orders VALUES (7, 'old'), (8, 'v8');
            CREATE TRIGGER passed_over BEFORE INSERT ON orders WHEN new.v = 'ignored'
            BEGIN SELECT RAISE(IGNORE); END;
            """
        )
    rows = [(number, f"v{number}") for number in range(2_000)]
    rows[1_000], rows[1_500] = (1_000, "refused"), (1_500, "ignored")
    written = stream.write("id v", *rows, (9, "again"), (9, "last"))
    assert [reject.key for reject in written.failed] == [(1_000,)]
    assert (written.written, written.unchanged) == (1_999, 2)  # 8 as it was, 1,500 passed over
    expected = dict(rows) | {9: "last"}
    assert dict(stream.rows()) == {
        key: v for key, v in expected.items() if v not in {"refused", "ignored"}
    }


def test_a_rebuild_is_rolled_back_with_its_chunk(stream: Stream, file: Path) -> None:
    stream.write("id v", (1, 5))
    before = schema(file)
    destination = stream.open()
    pages = [batch("id v", (1, "x")), batch("id _astrio_", (1, 1))]
    with pytest.raises(DestinationError):
        destination.commit(Chunk(pages))
    assert schema(file) == before
    assert stream.rows() == [(1, 5)]


def test_another_integration_may_widen_the_table_meanwhile(stream: Stream, file: Path) -> None:
    destination = stream.open()
    destination.commit(Chunk([batch("id v", (1, 0.1))]))
    second = Stream(stream.push.target.url)
    second.push = stream.push
    with other(file) as connection:
        connection.execute("ALTER TABLE orders RENAME COLUMN v TO w")
        connection.execute("ALTER TABLE orders ADD COLUMN v TEXT")
    destination.commit(Chunk([batch("id v", (2, 1e16 / 3))]))
    assert stream.rows("SELECT v FROM orders WHERE id = 2") == [(repr(1e16 / 3),)]


def test_a_text_that_came_first_decides_about_an_untyped_column(stream: Stream, file: Path) -> None:
    stream.write("id v", (1, None))
    with other(file) as connection:
        connection.execute("UPDATE orders SET v = '007'")
    stream.write("id v", (2, 7))
    assert stream.rows() == [(1, "007"), (2, "7")]


# The file.


def test_the_users_file_keeps_its_journal_mode(stream: Stream, file: Path) -> None:
    with other(file) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    stream.write("id", (1,))
    assert stream.rows("PRAGMA journal_mode") == [("wal",)]


def test_a_relative_path_is_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stream = Stream("sqlite:///here.db")
    stream.write("id", (1,))
    stream.close()
    assert (tmp_path / "here.db").is_file()
    assert destination_reference(stream.push) == str(tmp_path / "here.db")


def test_the_url_may_be_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite+aiosqlite:///{tmp_path}/w.db")
    push = Stream("sqlite:///x.db").push.model_copy(
        update={"to": SqlTarget(url="${env:WAREHOUSE_URL}")}
    )
    assert destination_reference(push) == str(tmp_path / "w.db")
    stream = Stream(f"sqlite:///{tmp_path}/w.db")
    stream.push = push
    stream.write("id", (1,))
    assert stream.rows() == [(1,)]


def test_a_uri_is_understood(tmp_path: Path) -> None:
    stream = Stream(f"sqlite:///file:{tmp_path}/a%20b.db?mode=rwc&uri=true")
    stream.write("id", (1,))
    stream.close()
    assert (tmp_path / "a b.db").is_file()
    assert stream_status(stream.push, "shop").last_run is not None


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"]
)
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="in memory"):
        open_destination(Stream("sqlite:///x.db").push.model_validate(_push(url)), "shop")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("no url, but s3cret", "no database URL"),
        ("oracle://me:s3cret@host/db", "no way to write to oracle"),
        ("${env:NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_secret(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        open_destination(Stream("sqlite:///x.db").push.model_validate(_push(url)), "shop")
    assert "s3cret" not in str(caught.value)


def _push(url: str) -> dict[str, Any]:
    return {"to": {"url": url}, "table": "orders", "mode": "append"}


def failure_of(url: str) -> AstrioError:
    with pytest.raises(AstrioError) as caught:
        Stream(url).open()
    assert caught.value.advice
    return caught.value


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    error = failure_of(f"sqlite:///{tmp_path}/no/where.db")
    assert isinstance(error, DestinationError)
    assert f"mkdir -p {tmp_path}/no" in error.advice


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "is a folder" in failure_of(f"sqlite:///{tmp_path}").message


def test_another_kind_of_file_is_no_database(file: Path) -> None:
    file.write_text("just a text, long enough to be looked at by SQLite" * 50)
    assert "is not a SQLite database" in failure_of(f"sqlite:///{file}").message


def test_a_read_only_database_is_told(stream: Stream, file: Path) -> None:
    stream.write("id", (1,))
    error = failure_of(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert isinstance(error, DestinationError)
    assert "cannot be written" in error.message


def test_a_file_that_cannot_be_opened_is_told(file: Path) -> None:
    assert "cannot be opened" in failure_of(f"sqlite:///file:{file}?mode=ro&uri=true").message


def test_a_damaged_file_is_told(stream: Stream, file: Path) -> None:
    stream.write("id t", *((number, "x" * 100) for number in range(500)))
    stream.close()
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(DestinationError, match="is damaged"):
        stream.write("id t", (1, "y"))


def test_a_locked_database_is_busy_and_the_run_may_go_on_later(stream: Stream, file: Path) -> None:
    destination = stream.open()
    with other(file) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(DestinationBusyError, match="locked by another process"):
            destination.commit(Chunk([batch("id", (1,))]))
        connection.execute("ROLLBACK")
    destination.commit(Chunk([batch("id", (2,))]))
    assert stream.rows() == [(2,)]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_commit_that_a_reader_holds_up_can_be_given_up(
    stream: Stream, file: Path, atomic: bool
) -> None:
    stream.write("id", (1,))
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=atomic)
    with other(file) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM orders").fetchone()
        with pytest.raises(DestinationBusyError):
            destination.commit(Chunk([batch("id", (2,))]))
            destination.finish(RunReport(integration="shop"), clear_resume=True)
    destination.abandon(RunReport(integration="shop", state="failed"))
    assert stream.rows() == [(1,)]
    assert last_runs(stream.push, "shop")[0]["state"] == "failed"


def test_a_run_may_wait_for_a_locked_database(stream: Stream, file: Path) -> None:
    stream.write("id", (1,))
    with other(file) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        stream.open(wait=True, pause=lambda _: connection.execute("ROLLBACK") and None)


def test_a_second_run_is_refused_at_once_while_an_atomic_slice_is_written(stream: Stream) -> None:
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=True)
    destination.commit(Chunk([batch("id", (1,))]))
    with pytest.raises(AstrioError, match="Another run of shop"):
        stream.open()


def test_closing_never_raises(stream: Stream, file: Path) -> None:
    destination = stream.open()
    with other(file) as connection:
        connection.execute("BEGIN IMMEDIATE")
        destination.close()
    destination.close()


def test_what_was_never_opened_can_be_closed(stream: Stream) -> None:
    open_destination(stream.push, "shop").close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_full_disk_fails_the_run_and_the_next_one_completes(
    small_disk: Path, atomic: bool
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    stream = Stream(f"sqlite:///{small_disk}/shop.db")
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=atomic)
    rows = [(number, "x" * 100) for number in range(1500)]
    destination.commit(Chunk([batch("id t", *rows[:100])], lambda _: {"done": 100}))
    with pytest.raises(DestinationBusyError, match=r"disk is full|could not be"):
        destination.commit(Chunk([batch("id t", *rows)], lambda _: {"done": 1500}))
        destination.finish(RunReport(integration="shop"), clear_resume=True)
    destination.abandon(RunReport(integration="shop", state="failed"))
    destination.close()
    assert last_runs(stream.push, "shop")[0]["state"] == "failed"
    ballast.unlink()
    second = stream.open(begin=False)
    assert stream.state.resume == (None if atomic else {"done": 100})
    second.begin_slice(atomic=atomic)
    second.commit(Chunk([batch("id t", *rows)]))
    second.finish(RunReport(integration="shop"), clear_resume=True)
    assert stream.rows() == rows
    stream.close()


# The state tables.


def test_looking_at_a_stream_that_never_ran_creates_nothing(stream: Stream, file: Path) -> None:
    assert quarantine_rows(stream.push, "shop") == []
    assert last_runs(stream.push, "shop") == []
    assert stream_status(stream.push, "shop") == StreamStatus()
    assert not file.exists()


def test_looking_at_another_stream_of_the_database_finds_nothing(stream: Stream) -> None:
    stream.write("id", (1,))
    assert stream_status(stream.push, "other") == StreamStatus()


def test_looking_at_a_users_database_changes_nothing(stream: Stream, file: Path) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT)")
    before = file.read_bytes()
    assert stream_status(stream.push, "shop") == StreamStatus()
    assert quarantine_rows(stream.push, "shop") == []
    assert file.read_bytes() == before


def test_state_tables_of_an_older_version_get_what_they_lack(stream: Stream, file: Path) -> None:
    stream.write("id", (1,))
    with other(file) as connection:
        connection.execute("UPDATE _astrio_version SET version = 0")
        connection.execute("ALTER TABLE _astrio_checkpoint DROP COLUMN resume")
        connection.execute("DROP TABLE _astrio_untyped")
    destination = stream.open()
    destination.commit(Chunk([batch("id v", (1, None))], resume=lambda _: {"page": 2}))
    assert stream_status(stream.push, "shop").unfinished


def test_state_tables_of_a_newer_version_are_left_alone(stream: Stream, file: Path) -> None:
    stream.write("id", (1,))
    with other(file) as connection:
        connection.execute("UPDATE _astrio_version SET version = 99")
    with pytest.raises(DestinationError, match="newer astrio"):
        stream.open()


def test_the_lease_of_a_machine_that_cannot_be_asked_lapses_by_time_only(
    stream: Stream, file: Path
) -> None:
    stream.open()
    with other(file) as connection:
        connection.execute("UPDATE _astrio_lease SET machine = 'another', pid = 1")
    with pytest.raises(AstrioError, match="process 1 on"):
        stream.open()


def test_a_reused_process_number_is_told_by_its_start(stream: Stream, file: Path) -> None:
    stream.open()
    with other(file) as connection:
        connection.execute("UPDATE _astrio_lease SET process_start = '1'")
    stream.open()


def test_a_rejects_key_of_any_type_is_kept(stream: Stream) -> None:
    keys: list[Any] = [(b"x",), (Decimal("1.5"),), (None,), (True,), (float("nan"), 1)]
    rejects = [rejected({"n": number}, key) for number, key in enumerate(keys)]
    stream.open().commit(Chunk([batch("id", rejects=rejects)]))
    shown = [row["key"] for row in quarantine_rows(stream.push, "shop")]
    assert shown == ["b'x'", "1.5", None, "true", "[nan, 1]"]


def test_a_record_that_json_cannot_express_is_kept_as_well_as_can_be(stream: Stream) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    written = stream.write("id v", (1, deep), (2, {1, 2}))
    assert [reject.key for reject in written.failed] == [(1,), (2,)]
    page = batch("id", rejects=[rejected(Page(1), (3,)), rejected(deep, (4,))])
    stream.open().commit(Chunk([page]))
    assert len(quarantine_rows(stream.push, "shop")) == 4
    while deep:
        deep = deep[0]


def test_nothing_heavy_is_imported_before_a_destination_is_opened() -> None:
    code = "import sys, astrio.tasks.destinations.opening; print('sqlalchemy' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / ".links")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "False\n"
