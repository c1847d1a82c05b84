"""The DuckDB destination: the contract, and what is true of it alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.destination import DestinationContract
from tests.contracts.dry import DryRunContract, dry_run, ended
from tests.contracts.replacing import ReplaceContract
from tests.contracts.stream import Stream, batch, child

from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    DestinationBusyError,
    DestinationError,
)
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    destination_reference,
    last_runs,
    open_destination,
    quarantine_rows,
    stream_status,
)
from astrio.tasks.destinations.quarantined import StreamStatus
from astrio.tasks.destinations.sql.duckdb_types import text_of
from astrio.tasks.destinations.sql.locked import LockedError
from astrio.tasks.destinations.sql.values import as_text
from astrio.tasks.report import RunReport


class TestDuckdb(DestinationContract):
    beside = LockedError
    refused_by = "age >= 18"
    text = "varchar"

    def read_json(self, stored: Any) -> Any:
        return json.loads(stored)

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    def test_rows_and_resume_point_agree_after_a_hundred_kills(self, stream: Stream) -> None:
        self.kill_at_random_moments(stream, rounds=100)


class TestReplace(ReplaceContract):
    refused_by = "age >= 18"

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"


class TestDryRun(DryRunContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path}/shop.duckdb"

    def test_the_file_keeps_every_byte(self, stream: Stream, tmp_path: Path) -> None:
        stream.write("id name", (1, "Ann"), (2, "Bob"))
        before = (tmp_path / "shop.duckdb").read_bytes()
        with dry_run(stream) as destination:
            report = ended(destination, Chunk([batch("id name n", (1, "Ann", 1), (3, "Cid", 0.5))]))
        assert report.difference is not None
        assert (report.difference.new, report.difference.changed) == (1, 1)
        assert os.listdir(tmp_path) == ["shop.duckdb"]
        assert (tmp_path / "shop.duckdb").read_bytes() == before

    def test_a_chunk_that_fails_is_undone_alone(self, stream: Stream) -> None:
        with dry_run(stream) as destination:
            destination.commit(Chunk([batch("id name", (1, "Ann"))]))
            with pytest.raises(DestinationError):
                destination.commit(Chunk([batch("id", (2,)), batch("id _astrio_x", (3, 3))]))
            report = ended(destination, Chunk([batch("id name", (4, "Dan"))]))
        assert report.difference is not None
        assert report.difference.new == 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.duckdb"


@pytest.fixture
def stream(file: Path) -> Iterator[Stream]:
    stream = Stream(f"duckdb:///{file}?timeout=0.1")
    yield stream
    stream.close()


def declared(stream: Stream) -> dict[str, str]:
    query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'orders'"
    return {str(name): str(kind) for name, kind in stream.rows(query)}


# Types.


def test_columns_are_declared_by_the_values_seen(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    row = (1, 0.5, True, "x", {}, 10**20, date(2026, 1, 2), moment, Decimal("1.50"), None)
    stream.write("id f b t j n d m e u", row)
    assert declared(stream) == {
        "id": "BIGINT",
        "f": "DOUBLE",
        "b": "BOOLEAN",
        "t": "VARCHAR",
        "j": "JSON",
        "n": "VARCHAR",
        "d": "DATE",
        "m": "TIMESTAMP WITH TIME ZONE",
        "e": "VARCHAR",
        "u": "VARCHAR",
    }
    ((*values, exact, _),) = stream.rows("SELECT * EXCLUDE (id, j) FROM orders")
    assert values == [0.5, True, "x", "100000000000000000000", date(2026, 1, 2), moment]
    assert exact == "1.50"
    assert stream.write("id f b t j n d m e u", row).unchanged == 1


def test_what_is_not_a_number_is_stored_and_equals_itself(stream: Stream) -> None:
    rows = (1, float("nan")), (2, float("inf"))
    assert stream.write("id v", *rows).written == 2
    assert stream.write("id v", *rows).unchanged == 2
    stream.write("id v", (3, "x"))
    assert stream.rows() == [(1, "nan"), (2, "inf"), (3, "x")]


def test_times_turn_into_the_text_that_they_would_be(stream: Stream) -> None:
    moments = [datetime(2026, 1, 2, 3, 4, 5, us, UTC) for us in (0, 6)]
    stream.write("id v", *enumerate(moments))
    stream.write("id v", (2, 5))
    assert [row[1] for row in stream.rows()] == [*map(datetime.isoformat, moments), "5"]


@given(st.floats(allow_nan=False))
def test_a_float_turns_into_the_text_that_python_writes(value: float) -> None:
    query = f"SELECT {text_of('v', 'DOUBLE')} FROM (SELECT ?::DOUBLE AS v)"
    ((text,),) = duckdb.execute(query, [value]).fetchall()
    assert text == as_text(value)


def test_columns_of_users_types_take_what_they_can_hold(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, a DECIMAL(10, 2), b HUGEINT, c UUID, "
        "d ENUM('x', 'y'), e VARCHAR[], f STRUCT(n BIGINT), g TIMESTAMP, h TIME, i FLOAT)"
    )
    unique = UUID("12345678123456781234567812345678")
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    row = (1, Decimal("1.5"), 2**70, unique, "x", ["p", "q"], {"n": 5}, moment, time(3, 4), 0.5)
    assert stream.write("id a b c d e f g h i", row).written == 1
    assert stream.write("id a b c d e f g h i", row).unchanged == 1
    assert stream.rows() == [
        (
            *(1, Decimal("1.50"), 2**70, unique, "x", ["p", "q"], {"n": 5}),
            *(moment.replace(tzinfo=None), time(3, 4), 0.5),
        )
    ]


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("UUID", "s3cret", "Could not convert"),
        ("ENUM('x', 'y')", "s3cret\nline", "Could not convert"),
        ("DECIMAL(4, 2)", 12345.5, "ould not cast the value to DECIMAL(4,2)"),
        ("DATE", "2026-13-77", "date field value out of range"),
        ("VARCHAR UNIQUE", "taken", "violat"),
        ("VARCHAR NOT NULL", None, "NOT NULL constraint failed: orders.v"),
    ],
)
def test_a_refused_value_is_told_in_duckdbs_words_without_itself(
    stream: Stream, kind: str, value: Any, told: str
) -> None:
    stream.execute(f"CREATE TABLE orders (id BIGINT PRIMARY KEY, v {kind})")
    fitting = {"VARCHAR UNIQUE": "taken", "VARCHAR NOT NULL": "a"}.get(kind)
    if fitting:
        stream.execute(f"INSERT INTO orders VALUES (0, '{fitting}')")
    rows = [(number, value if number == 3 else f"free{number}") for number in range(1, 6)]
    if not fitting:
        rows = [(3, value)]
    written = stream.write("id v", *rows)
    assert written.written == len(rows) - 1
    (reject,) = written.failed
    (problem,) = reject.problems
    assert reject.key == (3,)
    assert told in problem.reason
    assert "s3cret" not in problem.reason
    assert "12345" not in problem.reason
    assert "77" not in problem.reason
    assert "taken" not in problem.reason


def test_rows_that_only_the_real_database_refuses_are_found(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE shops (id BIGINT PRIMARY KEY)",
        "INSERT INTO shops VALUES (1)",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, shop BIGINT REFERENCES shops (id), "
        "age BIGINT CHECK (age >= 18), n BIGINT DEFAULT nextval('numbers'))",
    )
    rows = [(1, 1, 20), (2, 7, 20), (3, 1, 5), (4, 1, 30)]
    written = stream.write("id shop age", *rows)
    assert sorted(reject.key or () for reject in written.failed) == [(2,), (3,)]
    assert stream.rows("SELECT id FROM orders ORDER BY id") == [(1,), (4,)]
    again = stream.write("id shop age", *rows)
    assert (again.unchanged, len(again.failed)) == (2, 2)


def test_refused_rows_of_an_atomic_slice_leave_the_others(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT, age BIGINT CHECK (age >= 18))")
    stream.push = stream.push.model_copy(update={"mode": "append", "key": ()})
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=True)
    for first in (0, 10, 20):
        rows = [(number, 5 if number % 10 == 7 else 30) for number in range(first, first + 10)]
        written = destination.commit(Chunk([batch("id age", *rows)]))
        assert (written.written, len(written.failed)) == (9, 1)
    destination.finish(RunReport(integration="shop"), clear_resume=True)
    assert stream.rows("SELECT count(*), min(age) FROM orders") == [(27, 30)]


# Tables of users.


def test_a_rebuilt_table_keeps_everything_but_the_type(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE log (id VARCHAR)",
        'CREATE TABLE orders (id BIGINT PRIMARY KEY, "v w" BIGINT CHECK ("v w" > 0), '
        "name VARCHAR NOT NULL DEFAULT 'it''s', UNIQUE (name))",
        'CREATE INDEX by_v ON orders ("v w", name)',
        "CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES (new.id)",
        "CREATE VIEW names AS SELECT id, name FROM orders",
        "INSERT INTO orders (id, \"v w\", name) VALUES (1, 5, 'a')",
    )
    stream.push = stream.push.model_copy(update={"mode": "append", "key": ()})
    written = stream.write("id name", ("x", "b"), ("y", "a"), ("z", "c"))
    assert (written.written, len(written.failed)) == (2, 1)
    assert stream.rows('SELECT id, "v w", name FROM orders ORDER BY id') == [
        ("1", 5, "a"),
        ("x", None, "b"),
        ("z", None, "c"),
    ]
    assert stream.rows("SELECT * FROM names ORDER BY id")[0] == ("1", "a")
    assert stream.rows("SELECT * FROM log ORDER BY id") == [("1",), ("x",), ("z",)]
    (index,) = stream.rows("SELECT sql FROM duckdb_indexes() WHERE table_name = 'orders'")
    assert index == ('CREATE INDEX by_v ON orders("v w", "name");',)


def test_triggers_that_duckdb_merges_no_rows_beside_are_told(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE log (id BIGINT)",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY)",
        "CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES (new.id)",
    )
    with pytest.raises(DestinationError, match="merges no rows into a table with triggers"):
        stream.write("id", (1,))


def test_a_rebuilt_table_keeps_what_the_database_fills(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, v BIGINT, twice VARCHAR AS (v || '-' || v))",
        "INSERT INTO orders VALUES (1, 5)",
    )
    stream.write("id v", (2, "x"))
    assert stream.rows() == [(1, "5", "5-5"), (2, "x", "x-x")]


def test_a_table_that_others_refer_to_is_told_where_it_cannot_change(stream: Stream) -> None:
    stream.write("id v", (1, 5))
    stream.execute("CREATE TABLE lines (o BIGINT REFERENCES orders (id))")
    with pytest.raises(DestinationError, match="cannot change the table") as caught:
        stream.write("id v", ("x", 5))
    assert "foreign keys" in str(caught.value.advice)
    assert stream.rows() == [(1, 5)]


# Transactions.


def test_a_commit_that_would_roll_back_silently_fails(stream: Stream) -> None:
    stream.write("id v", (1, 5))
    destination = stream.open()
    with (
        pytest.raises(DestinationError, match="aborted"),
        destination._database.explained(),
        destination._transaction() as connection,
    ):
        connection.exec_driver_sql("INSERT INTO orders VALUES (2, 6)")
        with pytest.raises(Exception, match="nowhere"):
            connection.exec_driver_sql("SELECT * FROM nowhere")
    destination.commit(Chunk([batch("id v", (3, 7))]))
    assert stream.rows() == [(1, 5), (3, 7)]


def test_two_streams_of_one_process_write_one_file_by_turns(file: Path) -> None:
    one, other = (Stream(f"duckdb:///{file}", table=table) for table in ("orders", "customers"))
    first, second = one.open(), other.open()
    for number in range(3):
        first.commit(Chunk([batch("id", (number,))]))
        second.commit(Chunk([batch("id v", (number, "x"))]))
    first.renew()
    for destination in (first, second):
        destination.finish(RunReport(integration="shop"), clear_resume=True)
    assert one.rows("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)") == [
        (3, 3)
    ]
    one.close()
    other.close()


# The file.


HOLDING = """
    destination.open(run)
    destination.begin_slice(atomic=False)
    destination.commit(Chunk([Batch(Page(1), ("id",), [(1,)], [(1,)])]))
    print("at work", flush=True)
    sys.stdin.read()
    destination.close()
"""


def test_while_another_process_has_the_file_it_is_told_who(stream: Stream) -> None:
    process = child(stream, HOLDING)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    for look in (
        stream.open,
        lambda: stream_status(stream.push, "shop"),
        lambda: quarantine_rows(stream.push, "shop"),
    ):
        with pytest.raises(
            LockedError, match=rf"in use by .*\(process {process.pid} on .+, since 20"
        ):
            look()
    process.communicate()
    assert stream_status(stream.push, "shop").holder is None
    stream.open()
    assert stream.rows() == [(1,)]


def test_a_run_may_wait_for_another_process_to_end(stream: Stream) -> None:
    process = child(stream, HOLDING)
    assert process.stdout is not None
    process.stdout.readline()
    stream.open(wait=True, pause=lambda _: process.communicate() and None)
    assert stream.rows() == [(1,)]


def test_looking_at_a_stream_keeps_no_other_from_looking(stream: Stream, file: Path) -> None:
    stream.write("id", (1,))
    code = (
        "import duckdb, sys\n"
        f"connection = duckdb.connect({str(file)!r}, read_only=True)\n"
        "print('reads', flush=True)\n"
        "sys.stdin.read()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    reader.stdout.readline()
    assert stream_status(stream.push, "shop").last_run is not None
    with pytest.raises(LockedError, match=f"process {reader.pid}"):
        stream.open()
    reader.communicate()
    stream.open()


def test_looking_at_a_stream_that_never_ran_creates_nothing(stream: Stream, file: Path) -> None:
    assert quarantine_rows(stream.push, "shop") == []
    assert last_runs(stream.push, "shop") == []
    assert stream_status(stream.push, "shop") == StreamStatus()
    assert not file.exists()


def test_a_relative_path_is_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stream = Stream("duckdb:///here.duckdb")
    stream.write("id", (1,))
    stream.close()
    assert (tmp_path / "here.duckdb").is_file()
    assert destination_reference(stream.push) == str(tmp_path / "here.duckdb")


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:", "duckdb:///:memory:named"])
def test_a_database_in_memory_is_refused(stream: Stream, url: str) -> None:
    push = stream.push.model_validate({"to": {"url": url}, "table": "orders"})
    with pytest.raises(ConfigurationError, match="in memory"):
        open_destination(push, "shop")


def failure_of(url: str) -> AstrioError:
    with pytest.raises(AstrioError) as caught:
        Stream(url).open()
    assert caught.value.advice
    return caught.value


def test_duckdbs_own_settings_may_stand_in_the_url(file: Path) -> None:
    stream = Stream(f"duckdb:///{file}?threads=1&memory_limit=200MB")
    stream.write("id", (1,))
    assert stream.rows("SELECT current_setting('threads')") == [(1,)]
    assert "no_such_setting" in failure_of(f"duckdb:///{file}?no_such_setting=1").message
    assert "cannot be written" in failure_of(f"duckdb:///{file}?access_mode=read_only").message
    stream.close()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda file: file.mkdir(), "is a folder"),
        (lambda file: file.write_bytes(b""), "is not a DuckDB database"),
        (lambda file: file.write_text("a text " * 900), "is not a DuckDB database"),
        (lambda file: file.write_bytes(b"12345678DUCK" + b"\0" * 9000), "database"),
    ],
)
def test_what_is_no_database_is_told(file: Path, make: Any, told: str) -> None:
    make(file)
    error = failure_of(f"duckdb:///{file}")
    assert isinstance(error, DestinationError)
    assert told in error.message


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    error = failure_of(f"duckdb:///{tmp_path}/no/where.duckdb")
    assert f"mkdir -p {tmp_path}/no" in error.advice


def test_a_missing_driver_is_told_with_its_extra() -> None:
    code = (
        "import sys\n"
        "sys.modules['duckdb'] = None\n"
        "from astrio.tasks.destinations.opening import PushSettings, open_destination\n"
        "push = PushSettings.model_validate({'to': {'url': 'duckdb:///x'}, 'table': 'orders'})\n"
        "try:\n"
        "    open_destination(push, 'shop')\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.advice)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / ".links")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "ConfigurationError Install them: pip install 'astrio[duckdb]'\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_full_disk_fails_the_run_and_the_next_one_completes(
    small_disk: Path, atomic: bool
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 2_000_000)
    stream = Stream(f"duckdb:///{small_disk}/shop.duckdb")
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=atomic)
    rows = [(number, os.urandom(1000).hex()) for number in range(2500)]
    destination.commit(Chunk([batch("id t", *rows[:10])], lambda _: {"done": 10}))
    with pytest.raises(DestinationBusyError, match=r"disk is full|closed after an error"):
        for _ in range(3):
            destination.commit(Chunk([batch("id t", *rows)], lambda _: {"done": 2500}))
            destination.finish(RunReport(integration="shop"), clear_resume=True)
    destination.abandon(RunReport(integration="shop", state="failed"))
    destination.close()
    assert last_runs(stream.push, "shop")[0]["state"] == "failed"
    ballast.unlink()
    second = stream.open(begin=False)
    assert stream.state.resume == (None if atomic else {"done": 10})
    second.begin_slice(atomic=atomic)
    second.commit(Chunk([batch("id t", *rows[:1000])]))
    second.finish(RunReport(integration="shop"), clear_resume=True)
    assert stream.rows() == rows[:1000]
    stream.close()


# Killed processes.

WRITING = """
    import os, signal
    from astrio.tasks.report import RunReport
    destination.open(run)
    destination.begin_slice(atomic=False)
    for columns, rows in CHUNKS:
        page = Batch(Page(1), tuple(columns.split()), rows, rows)
        destination.commit(Chunk([page], lambda _: {"rows": len(rows)}))
    if push.mode == "replace":
        destination.finish(RunReport(integration="shop"), clear_resume=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
TABLE = "CREATE TABLE orders (id BIGINT{key}, name VARCHAR, n BIGINT)"


@pytest.mark.parametrize(
    ("mode", "key", "chunks", "then"),
    [
        ("upsert", " PRIMARY KEY", [("id n", [("x", 1), ("y", 2)])], ["1", "x", "y"]),
        ("upsert", "", [("id n", [(1, 0.5), (2, 2)])], [1, 2]),
        ("upsert", "", [("id m", [(1, 0.5)]), ("id n", [("z", "a"), (2, "b")])], ["1", "2", "z"]),
        ("replace", "", [("id n", [(5, 1), (6, 2)])], [5, 6]),
        ("replace", " PRIMARY KEY", [("id n name", [(1, "x", "a"), (7, 2, "b")])], [1, 7]),
    ],
)
def test_tables_changed_just_before_a_process_was_killed_are_whole(
    stream: Stream, mode: str, key: str, chunks: list[Any], then: list[Any]
) -> None:
    stream.execute(
        TABLE.format(key=key),
        "CREATE INDEX by_n ON orders (n, name)",
        "INSERT INTO orders VALUES (1, 'Ann', 7)",
    )
    stream.push = stream.push.model_copy(update={"mode": mode})
    process = child(stream, WRITING.replace("CHUNKS", repr(chunks)))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert Path(f"{stream.database.url.database}.wal").exists()
    for _ in range(2):  # from the log, then from the file
        assert [row[0] for row in stream.rows()] == then
    indexes = stream.rows("SELECT index_name FROM duckdb_indexes() ORDER BY 1")
    assert ("by_n",) in indexes
    with pytest.raises(Exception, match=r"[Cc]onstraint"):
        stream.execute("INSERT INTO orders (id) SELECT id FROM orders LIMIT 1")
    stream.push = stream.push.model_copy(update={"mode": "upsert"})
    assert stream.write("id n", (then[0], 1)).written <= 1
    assert [row[0] for row in stream.rows()] == then
