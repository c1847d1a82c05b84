"""What goes wrong on MySQL: doors that stay shut, servers that go, other sessions, killed runs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymysql
import pytest
from sqlalchemy.exc import DBAPIError
from tests.contracts.stream import Stream, batch, child, rejected
from tests.support.mariadb import QUICK, MariadbServer, mariadb_server
from tests.support.postgres import CannotStartError
from tests.support.server import unused_url

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
    quarantine_rows,
    stream_status,
)
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.locked import DeadlockError, LockedError
from astrio.tasks.destinations.sql.mysql_errors import explain
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.report import RunReport


@pytest.fixture
def url(mysql_url: str) -> str:
    return mysql_url


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    stream = Stream(url)
    yield stream
    stream.close()


def failure(stream: Stream, columns: str, *rows: tuple[Any, ...]) -> AstrioError:
    with pytest.raises(AstrioError) as caught:
        stream.write(columns, *rows)
    assert "s3cret" not in str(caught.value)
    return caught.value


# Doors.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((":s3cret-mariadb-password@", ":s3cret-wrong@"), "does not let this user in"),
        (("/db", "/no_such_db"), "does not exist"),
        (("astrio:", "nobody:"), "does not let this user in"),
    ],
)
def test_a_door_that_stays_shut_is_told(url: str, change: tuple[str, str], told: str) -> None:
    error = failure(Stream(url.replace(*change)), "id", (1,))
    assert isinstance(error, DestinationError)
    assert told in error.message
    assert error.advice


def test_a_url_without_a_database_is_told(url: str) -> None:
    stream = Stream(url)
    target = stream.push.to.model_copy(update={"url": url.rpartition("/")[0]})  # type: ignore[union-attr] # it is a URL
    stream.push = stream.push.model_copy(update={"to": target})
    error = failure(stream, "id", (1,))
    assert "names no database" in error.message
    assert isinstance(error, ConfigurationError)


def test_a_server_that_is_away_is_told_with_its_address() -> None:
    port = unused_url().rpartition(":")[2]
    error = failure(Stream(f"mysql://ann:s3cret-x@127.0.0.1:{port}/shop"), "id", (1,))
    assert isinstance(error, DestinationBusyError)
    assert f"mysql://127.0.0.1:{port}/shop cannot be reached" in error.message


def test_what_is_not_permitted_is_told(url: str) -> None:
    stream, name = Stream(url), url.rpartition("/")[2]
    stream.execute(
        "CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 's3cret-reader'",
        f"GRANT SELECT ON {name}.* TO reader@'127.0.0.1'",
    )
    poor = Stream(url.replace("astrio:s3cret-mariadb-password", "reader:s3cret-reader"))
    error = failure(poor, "id", (1,))
    assert "does not permit a statement" in error.message
    assert "CREATE TEMPORARY TABLES" in error.advice
    stream.close()


def test_a_database_that_takes_no_writes_is_told(url: str) -> None:
    stream, name = Stream(url), url.rpartition("/")[2]
    stream.execute(
        "CREATE OR REPLACE USER writer@'127.0.0.1' IDENTIFIED BY 's3cret-writer'",
        f"GRANT ALL ON {name}.* TO writer@'127.0.0.1'",
        "SET GLOBAL read_only = 1",
    )
    try:
        plain = Stream(url.replace("astrio:s3cret-mariadb-password", "writer:s3cret-writer"))
        assert "takes no writes" in failure(plain, "id", (1,)).message
    finally:
        stream.execute("SET GLOBAL read_only = 0")
        stream.close()


def test_a_table_that_another_session_holds_is_told(url: str) -> None:
    stream, name = Stream(url), url.rpartition("/")[2]
    stream.execute(
        "CREATE OR REPLACE USER hurried@'127.0.0.1' IDENTIFIED BY 's3cret-hurried' "
        "WITH MAX_STATEMENT_TIME 0.5",
        f"GRANT ALL ON {name}.* TO hurried@'127.0.0.1'",
    )
    stream.write("id", (1,))
    hurried = Stream(url.replace("astrio:s3cret-mariadb-password", "hurried:s3cret-hurried"))
    with stream.database.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE orders WRITE")
        error = failure(hurried, "id", (2,))
        connection.exec_driver_sql("UNLOCK TABLES")
    assert isinstance(error, DestinationBusyError)
    hurried.write("id", (2,))
    assert stream.rows() == [(1,), (2,)]
    stream.close()


@pytest.mark.parametrize(
    ("number", "words", "kind", "told"),
    [
        (1205, "Lock wait timeout exceeded", LockedError, "is locked"),
        (1213, "Deadlock found", DeadlockError, "for the sake of another"),
        (1114, "The table 'orders' is full", DestinationBusyError, "the disk is full"),
        (1030, "Got error 28 from storage engine", DestinationBusyError, "the disk is full"),
        (1040, "Too many connections", DestinationBusyError, "no more resources"),
        (2013, "Lost connection to MySQL server", DestinationBusyError, "broken the connection"),
        (1053, "Server shutdown in progress", DestinationBusyError, "shut down"),
        (1118, "Row size too large", DestinationError, "so long columns"),
        (1064, "You have an error", DestinationError, "refuses a statement"),
    ],
)
def test_an_error_is_told_by_its_number(
    number: int, words: str, kind: type[AstrioError], told: str
) -> None:
    error = explain(pymysql.OperationalError(number, words), "mysql://h:3306/shop")
    assert type(error) is kind
    assert told in error.message
    assert words in error.message


def test_without_its_driver_the_way_to_install_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    for name in ("mysql", "mariadb"):
        module = f"astrio.tasks.destinations.sql.dialects.{name}"
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    push = PushSettings.model_validate({"to": {"url": "mysql://h/d"}, "table": "t"})
    with pytest.raises(ConfigurationError, match="needs its driver") as caught:
        destination_reference(push)
    assert "astrio[mysql]" in caught.value.advice


def test_the_ledger_is_not_kept_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", url)
    with pytest.raises(ConfigurationError, match="cannot be kept in MySQL"), Ledger().writing():
        pass


# Servers that go.


@pytest.fixture(scope="module")
def shaky() -> Iterator[MariadbServer]:
    """A server of this module's own, which may be restarted."""
    try:
        with mariadb_server(QUICK | {"innodb-flush-log-at-trx-commit": "1"}) as server:
            yield server
    except CannotStartError as error:
        pytest.skip(f"no MariaDB server: {error}")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("atomic", [False, True])
def test_a_restart_in_the_middle_loses_nothing_that_was_committed(
    shaky: MariadbServer, how: int, atomic: bool
) -> None:
    stream = Stream(shaky.create_database(), mode="append", key=[])
    stream.write("id", (1,))
    destination = stream.open(begin=False)
    destination.begin_slice(atomic=atomic)
    destination.commit(Chunk([batch("id", (2,))], resume=lambda _: {"at": 2}))
    shaky.restart(how)
    with pytest.raises(DestinationBusyError):
        destination.commit(Chunk([batch("id", (3,))]))
    destination.close()
    stream.database.dispose()
    second = stream.open("run-2", wait=True)
    assert stream.state.resume == (None if atomic else {"at": 2})
    second.commit(Chunk([batch("id", *([(2,)] if atomic else []), (3,))]))
    second.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
    assert stream.rows() == [(1,), (2,), (3,)]
    assert last_runs(stream.push, "shop")[0]["state"] == "completed"
    stream.close()


# Changes of the table, which MySQL commits by itself.


@pytest.fixture
def appending(url: str) -> Iterator[Stream]:
    stream = Stream(url, mode="append", key=[])
    stream.write("id n", (0, 0))
    yield stream
    stream.close()


def test_an_atomic_slice_may_change_its_table_again_and_again(appending: Stream) -> None:
    destination = appending.open(begin=False)
    destination.begin_slice(atomic=True)
    bad = rejected({"id": 9}, (9,))
    first = destination.commit(Chunk([batch("id n", (1, 1), rejects=[bad])], effects=["a"]))
    second = destination.commit(Chunk([batch("id n more", (2, 0.5, None)), batch("id", (3,))]))
    third = destination.commit(Chunk([batch("id n more", (4, "x", True))], lambda _: {"at": 4}))
    assert [each.written for each in (first, second, third)] == [1, 2, 1]
    assert second.table.added == ["more"]
    assert third.table.widened == {"n": "double to longtext"}
    assert [row[0] for row in appending.rows()] == [0]
    destination.finish(RunReport(integration="shop"), clear_resume=False)
    assert appending.rows() == [
        *((0, "0.0", None), (1, "1", None), (2, "0.5", None), (3, None, None), (4, "x", 1)),
    ]
    assert [row["seen"] for row in quarantine_rows(appending.push, "shop")] == [1]
    assert stream_status(appending.push, "shop").unfinished
    destination.close()
    assert appending.open("next").effects(["a", "b"]) == {"a"}


def test_an_abandoned_atomic_slice_leaves_the_changed_table_and_no_row(appending: Stream) -> None:
    destination = appending.open(begin=False)
    destination.begin_slice(atomic=True)
    destination.commit(Chunk([batch("id n", (1, 1))], resume=lambda _: {"at": 1}))
    destination.commit(Chunk([batch("id n more", (2, 2, 3))]))
    destination.abandon(RunReport(integration="shop", state="failed"))
    assert appending.rows() == [(0, 0, None)]
    assert not stream_status(appending.push, "shop").unfinished


def test_many_rows_of_an_atomic_slice_are_written_again(appending: Stream) -> None:
    destination = appending.open(begin=False)
    destination.begin_slice(atomic=True)
    for start in range(0, 50_000, 5_000):
        rows = [(number, number) for number in range(start, start + 5_000)]
        destination.commit(Chunk([batch("id n", *rows)]))
    destination.commit(Chunk([batch("id n last", (50_000, 1, "x"))]))
    destination.finish(RunReport(integration="shop"), clear_resume=True)
    assert appending.rows("SELECT count(*), max(id) FROM orders") == [(50_002, 50_000)]


def test_a_table_that_others_write_to_ends_an_atomic_slice_that_must_begin_anew(
    appending: Stream,
) -> None:
    appending.execute("CREATE UNIQUE INDEX by_id ON orders (id)")
    destination = appending.open(begin=False)
    destination.begin_slice(atomic=True)
    destination.commit(Chunk([batch("id n", (1, 1))]))
    appending.execute("SET SESSION innodb_lock_wait_timeout = 1")
    real = destination._change

    def change(due: Any) -> Any:
        changed = real(due)
        appending.execute("INSERT INTO orders (id) VALUES (1)")
        return changed

    destination._change = change  # type: ignore[method-assign] # somebody is quicker
    with pytest.raises(DestinationBusyError, match="Another session has changed the table"):
        destination.commit(Chunk([batch("id n more", (2, 2, 3))]))
    destination.abandon(RunReport(integration="shop", state="failed"))
    assert [row[0] for row in appending.rows()] == [0, 1]


def test_a_column_that_comes_within_a_chunk_leaves_other_columns_alone(stream: Stream) -> None:
    stream.write("id a", (1, "x"), (2, "y"))
    chunk = Chunk([batch("id", (1,)), batch("id a b", (2, "z", 5)), batch("id", (3,))])
    written = stream.open().commit(chunk)
    assert written.written == 2
    assert stream.rows() == [(1, "x", None), (2, "z", 5), (3, None, None)]


def test_a_reader_that_goes_on_for_long_keeps_a_change_waiting_only(stream: Stream) -> None:
    stream.write("id", (1,))
    destination = stream.open()
    with stream.database.connect() as reader, ThreadPoolExecutor(1) as pool:
        assert reader.exec_driver_sql("SELECT * FROM orders").all() == [(1,)]
        writing = pool.submit(destination.commit, Chunk([batch("id more", (2, 5))]))
        waits = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE '%metadata%'"
        while not stream.rows(waits)[0][0]:
            assert not writing.done()
        reader.rollback()
        assert writing.result(60).written == 1
    assert stream.rows() == [(1, None), (2, 5)]


# Other sessions.


def test_runs_of_two_streams_at_once_both_end(url: str) -> None:
    streams = [Stream(url, table=f"t{number}") for number in range(2)]
    ready = threading.Barrier(2)

    def load(stream: Stream) -> int:
        ready.wait(60)
        destination, count = stream.open(), 0
        for number in range(20):
            rows = [(each, f"{number}") for each in range(200)]
            bad = rejected({"id": -number - 1}, (-number - 1,))
            count += destination.commit(Chunk([batch("id n", *rows, rejects=[bad])])).written
        destination.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
        return count

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(load, streams)) == [4_000, 4_000]
    for stream in streams:
        assert stream_status(stream.push, "shop").quarantined == 20
        stream.close()


def test_a_transaction_that_the_server_ends_for_another_is_done_again(stream: Stream) -> None:
    stream.write("id n", (1, 0), (2, 0))
    pauses = list[float]()
    destination = stream.open(pause=pauses.append)
    with stream.database.connect() as other, ThreadPoolExecutor(1) as pool:
        other.exec_driver_sql("UPDATE orders SET n = 5 WHERE id = 2")
        pages = [batch("id n", (1, 7)), batch("n id", (8, 2))]
        writing = pool.submit(destination.commit, Chunk(pages))
        waits = "SELECT count(*) FROM information_schema.innodb_lock_waits"
        while not stream.rows(waits)[0][0]:
            assert not writing.done()
            time.sleep(0.2)  # asked more often, the server tells the same as before
        try:
            # It has changed more rows than the run, so the server ends the run's transaction.
            other.exec_driver_sql("INSERT INTO orders SELECT seq, 0 FROM seq_100_to_3000")
            other.exec_driver_sql("UPDATE orders SET n = 6 WHERE id = 1")
            other.commit()
        except DBAPIError:
            other.rollback()
        assert writing.result(60).written == 2
    assert stream.rows("SELECT * FROM orders WHERE id < 3") == [(1, 7), (2, 8)]
    assert pauses == [0.1]


# Killed runs.

KILLED_AT = """
    import os, signal
    import astrio.tasks.destinations.sql.{module} as place
    real, calls = place.{name}, []
    def killed(*values, **named):
        calls.append(1)
        if len(calls) == {call} and "{when}" == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*values, **named)
        if len(calls) == {call}:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    place.{name} = killed
"""
LOAD = """
    state = destination.open(run)
    done = (state.resume or {"chunks": 0})["chunks"]
    if state.resume:
        destination.adopt("child")
    destination.begin_slice(atomic=ATOMIC)
    columns = [("id", "a"), ("id", "a", "b"), ("id", "a", "b"), ("id", "a"), ("id", "c")]
    values = [(None,), (1, 0.5), ("x", True), ([1],), (2**60,)]
    for number in range(done, 5):
        rows = [(each, *values[number]) for each in range(number * 100, number * 100 + 100)]
        bad = Reject({"id": -number - 1}, [Problem("id", "min", "no")], (-number - 1,))
        page = Batch(Page(1), columns[number], rows, rows, [bad])
        more = Batch(Page(1), ("id",), [(number + 1000,)], [(1,)], [])
        destination.commit(Chunk([page, more], lambda _: {"chunks": number + 1}))
    from astrio.tasks.report import RunReport
    report = RunReport(integration="shop", state="completed")
    destination.finish(report, watermark=5, clear_resume=True)
    destination.close()
"""
POINTS = [
    *(("schema", "run", call) for call in range(1, 5)),
    *(("mysql_retype", "_alter", call) for call in range(1, 4)),
    ("mysql_retype", "_put_words", 1),
    *(("mysql_load", "_insert", call) for call in (1, 3, 7)),
    ("checkpoint", "save", 2),
    ("checkpoint", "end_run", 1),
    ("partitions", "save", 3),
    ("database", "transaction", 5),
    ("mysql_catalogue", "complete", 1),
    ("tables", "prepare", 1),
]


def loaded(stream: Stream, *, atomic: bool, before: str = "") -> int:
    """Load everything in another process, which may be killed; return how it ended."""
    code = "\n".join(line.removeprefix("    ") for line in (before + LOAD).splitlines())
    process = child(stream, code.lstrip("\n").replace("ATOMIC", str(atomic)))
    process.communicate(timeout=120)
    return process.returncode


def check_whole(stream: Stream) -> None:
    """Every row and reject is there once, and the state says that the run has ended."""
    counted = stream.rows("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM orders")
    assert counted == [(505, 505, 0, 1004)]
    texts = stream.rows("SELECT DISTINCT a FROM orders WHERE id < 1000 ORDER BY a")
    assert texts == [(None,), ("1",), ("[1]",), ("x",)]
    others = stream.rows("SELECT DISTINCT b, c FROM orders WHERE id < 1000 ORDER BY 1, 2")
    assert others == [(None, None), (None, 2**60), ("0.5", None), ("true", None)]
    assert stream_status(stream.push, "shop").quarantined == 5
    assert [row["seen"] for row in quarantine_rows(stream.push, "shop")] == [1] * 5
    status = stream_status(stream.push, "shop")
    assert (status.watermark, status.unfinished, status.holder) == (5, False, None)


def kill_and_go_on(stream: Stream, point: tuple[str, str, int], when: str, mode: str) -> bool:
    """Kill a run at a named point and run again; whether it was killed."""
    module, name, call = point
    how = KILLED_AT.format(module=module, name=name, call=call, when=when)
    atomic = mode == "append" and call % 2 == 1
    ended = loaded(stream, atomic=atomic, before=how)
    assert ended in (-signal.SIGKILL, 0)
    if ended == -signal.SIGKILL:
        ready = stream.rows("SHOW TABLES LIKE '_astrio_version'")
        if not ready or not _completed(stream):
            assert loaded(stream, atomic=atomic) == 0
    check_whole(stream)
    return ended != 0


def _completed(stream: Stream) -> bool:
    runs = last_runs(stream.push, "shop")
    return any(each["state"] == "completed" for each in runs)


def clear(stream: Stream) -> None:
    """Drop all tables."""
    names = [row[0] for row in stream.rows("SHOW TABLES")]
    stream.execute(*(f'DROP TABLE "{name}"' for name in names))


@pytest.fixture(params=["upsert", "append"])
def killing(request: pytest.FixtureRequest, url: str) -> Iterator[Stream]:
    stream = Stream(url, mode=request.param, key=["id"] if request.param == "upsert" else [])
    yield stream
    stream.close()


@pytest.mark.parametrize(
    ("point", "when"),
    [(("schema", "run", 2), "before"), (("mysql_retype", "_alter", 2), "after")],
)
def test_a_run_killed_while_its_table_changes_is_gone_on_with(
    killing: Stream, point: tuple[str, str, int], when: str
) -> None:
    assert kill_and_go_on(killing, point, when, killing.push.mode)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_runs_killed_at_named_points_are_gone_on_with(killing: Stream) -> None:
    killed = 0
    while killed < 50:
        for point in POINTS:
            for when in ("before", "after"):
                killed += kill_and_go_on(killing, point, when, killing.push.mode)
                clear(killing)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("old", [True, False])
def test_a_run_killed_in_the_swap_is_repeated(url: str, when: str, old: bool) -> None:
    stream = Stream(url, mode="replace")
    if old:
        stream.write("id n", (1, "old"), (2, "old"))
    code = """
        import os, signal
        from astrio.tasks.destinations.sql.dialects.mysql import MysqlDialect
        from astrio.tasks.report import RunReport
        real = MysqlDialect.swap
        def killed(self, *values):
            if "WHEN" == "after":
                real(self, *values)
            os.kill(os.getpid(), signal.SIGKILL)
        MysqlDialect.swap = killed
        destination.open(run)
        destination.begin_slice(atomic=False)
        destination.commit(Chunk([Batch(Page(1), ("id", "n"), [(2, "new")], [(1,)])]))
        destination.finish(RunReport(integration="shop"), clear_resume=True)
    """
    process = child(stream, code.replace("WHEN", when))
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    if old:
        assert stream.rows() == [(1, "old"), (2, "old")]
    stream.write("id n", (2, "new"), (3, "new"))
    assert stream.rows() == [(2, "new"), (3, "new")]
    assert not stream.rows("SHOW TABLES LIKE '_astrio_staging%'")
    stream.close()
