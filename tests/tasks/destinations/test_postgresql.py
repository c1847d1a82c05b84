"""The PostgreSQL destination: what is true of it alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.contracts.destination import DestinationContract
from tests.contracts.renewing import RenewalContract
from tests.contracts.replacing import ReplaceContract
from tests.contracts.stream import Stream, batch
from tests.support.postgres import CannotStartError, PostgresServer, postgres_server
from tests.support.server import unused_url

from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    DestinationBusyError,
    DestinationError,
)
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import destination_reference, last_runs
from astrio.tasks.destinations.part import Part
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.ledger.streams import KnownStream, known_streams, remember_stream
from astrio.tasks.report import RunReport


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


class TestPostgresql(DestinationContract):
    def read_json(self, stored: Any) -> Any:
        return stored


class TestReplace(ReplaceContract):
    pass


class TestRenewal(RenewalContract):
    pass


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    stream = Stream(url)
    yield stream
    stream.close()


def declared(stream: Stream, table: str = "orders") -> dict[str, str]:
    query = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return {str(name): str(kind) for name, kind in stream.rows(query)}


def failure(stream: Stream, columns: str, *rows: tuple[Any, ...]) -> AstrioError:
    with pytest.raises(AstrioError) as caught:
        stream.write(columns, *rows)
    assert "s3cret" not in str(caught.value)
    return caught.value


# Types.


def test_columns_are_declared_by_the_values_seen(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    values = (1, 0.5, True, "x", {}, 10**20, None, moment, date(2026, 1, 2), Decimal("1.5"))
    stream.write("id f b t j n u m d e", values)
    assert declared(stream) == {
        "id": "bigint",
        "f": "double precision",
        "b": "boolean",
        "t": "text",
        "j": "json",
        "n": "numeric",
        "u": "text",
        "m": "timestamp with time zone",
        "d": "date",
        "e": "numeric",
    }
    assert stream.rows() == [
        (1, 0.5, True, "x", {}, Decimal(10**20), None, moment, date(2026, 1, 2), Decimal("1.5"))
    ]


def test_numbers_stay_exact_whatever_comes_later(stream: Stream) -> None:
    stream.write("id v", (1, 5), (2, 2**63 - 1))
    assert declared(stream)["v"] == "bigint"
    stream.write("id v", (3, 2**63), (4, Decimal("0.10")))
    assert declared(stream)["v"] == "numeric"
    assert [row[1] for row in stream.rows()] == [5, 2**63 - 1, 2**63, Decimal("0.10")]
    assert stream.write("id v", (1, 5), (3, 2**63)).unchanged == 2


def test_whole_numbers_and_fractions_share_a_column(stream: Stream) -> None:
    stream.write("id v", (1, 5))
    stream.write("id v", (2, 0.5))
    assert declared(stream)["v"] == "double precision"
    assert [row[1] for row in stream.rows()] == [5.0, 0.5]


def test_digits_in_a_text_column_stay_as_they_are(stream: Stream) -> None:
    stream.write("id v", (1, "00123"), (2, "1e400"))
    assert stream.rows() == [(1, "00123"), (2, "1e400")]


def test_values_turn_into_the_same_text_as_elsewhere(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 60, UTC)
    values = [0.1, 1.0, 1e16, 1e-7, float("inf"), float("nan"), 1e15]
    stream.write(
        "id a b c", *((number, value, True, moment) for number, value in enumerate(values))
    )
    stream.write("id a b c", (99, "x", "x", True))
    assert [row[1] for row in stream.rows()] == [*map(str, values), "x"]
    assert stream.rows()[0][2:] == ("true", "2026-01-02T03:04:05.000060+00:00")


def test_not_a_number_is_a_number_here(stream: Stream) -> None:
    stream.write("id v", (1, float("nan")), (2, float("-inf")))
    assert str(stream.rows()) == "[(1, nan), (2, -inf)]"
    assert stream.write("id v", (1, float("nan"))).unchanged == 1


def test_json_keeps_the_order_of_its_keys_and_exact_numbers(stream: Stream) -> None:
    value = {"z": 1, "a": {"n": Decimal("1.50")}, "é": ["ü", None, True, 10**30]}
    stream.write("id v", (1, value))
    [[stored]] = stream.rows("SELECT v::text FROM orders")
    assert stored == '{"z":1,"a":{"n":"1.50"},"é":["ü",null,true,1000000000000000000000000000000]}'
    assert stream.write("id v", (1, value)).unchanged == 1


def test_a_uuid_is_text_and_fits_a_users_uuid_column(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, v UUID)")
    value = UUID("12345678123456781234567812345678")
    stream.write("id v", (1, str(value)))
    assert stream.rows() == [(1, value)]
    assert stream.write("id v", (1, str(value))).unchanged == 1


def test_a_character_that_no_text_takes_fails_its_row_alone(stream: Stream) -> None:
    written = stream.write("id v", (1, "a\0b"), (2, "fine"))
    assert [reject.key for reject in written.failed] == [(1,)]
    assert stream.rows() == [(2, "fine")]


# Tables that others made.


def test_a_table_with_other_columns_is_told_column_by_column(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, a INTEGER, b TIMESTAMPTZ, c SMALLINT, d INT[])"
    )
    error = failure(stream, "id a b c d", (1, "x", 5, 0.5, [1]))
    assert isinstance(error, DestinationError)
    for words in (
        "a is integer, and its values are texts",
        "c is smallint, and its values are",
        "d is integer[], and its values are",
    ):
        assert words in error.message
    assert stream.rows() == []


def test_users_types_take_what_fits(stream: Stream) -> None:
    stream.execute(
        "CREATE DOMAIN email AS TEXT; CREATE TYPE mood AS ENUM ('ok', 'bad')",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, a VARCHAR(5), b TIMESTAMP, c TIMESTAMPTZ(0),"
        " d JSONB, e NUMERIC(6, 2), f REAL, g email, h mood, i DATE)",
    )
    moment = datetime.fromisoformat("2026-01-02T03:04:05+02:00")
    row = (1, "abc", moment, "2026-01-02T03:04:05Z", {"b": 1}, 1.5, 2, "a@b", "ok", "2026-01-02")
    stream.write("id a b c d e f g h i", row)
    [stored] = stream.rows()
    assert stored == (
        *(1, "abc", datetime(2026, 1, 2, 1, 4, 5), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),  # noqa: DTZ001 (a column without a zone)
        *({"b": 1}, Decimal("1.50"), 2.0, "a@b", "ok", date(2026, 1, 2)),
    )
    assert stream.write("id a b c d e f g h i", row).unchanged == 1


def test_a_value_that_a_users_column_refuses_fails_its_row_with_a_reason(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, at TIMESTAMPTZ, short VARCHAR(3),"
        " total NUMERIC CHECK (total >= 0), mail TEXT UNIQUE)"
    )
    written = stream.write(
        "id at short total mail",
        (1, "2026-01-02", "abc", 1, "a"),
        (2, "not a date", "abc", 1, "b"),
        (3, "2026-01-02", "abcd", 1, "c"),
        (4, "2026-01-02", "abc", -1, "d"),
        (5, "2026-01-02", "abc", 1, "a"),
    )
    reasons = {reject.key: reject.problems[0].reason for reject in written.failed}
    assert set(reasons) == {(2,), (3,), (4,), (5,)}
    assert "not a date" not in reasons[2,]
    assert "column at" in reasons[2,]
    assert "character varying(3)" in reasons[3,]
    assert "check constraint" in reasons[4,]
    assert "unique constraint" in reasons[5,]
    assert [row[0] for row in stream.rows()] == [1]


def test_what_only_the_database_fills_is_told(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, a BIGINT,"
        " twice BIGINT GENERATED ALWAYS AS (a * 2) STORED, must TEXT NOT NULL)"
    )
    assert (
        "twice is bigint, which the database fills"
        in failure(stream, "id a twice must", (1, 2, 4, "x")).message
    )
    assert "must" in failure(stream, "id a", (1, 2)).message
    stream.write("id a must", (1, 2, "x"))
    assert stream.rows() == [(1, 2, 4, "x")]


def test_rows_that_a_trigger_drops_are_unchanged(stream: Stream) -> None:
    stream.write("id", (1,))
    stream.execute(
        "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.id > 5 THEN RETURN NULL; END IF; RETURN NEW; END'",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION drop_it()",
    )
    written = stream.write("id", (2,), (9,))
    assert (written.written, written.unchanged) == (1, 1)


def test_a_view_on_a_column_that_must_widen_is_told(stream: Stream) -> None:
    stream.write("id v", (1, 5))
    stream.execute("CREATE VIEW shown AS SELECT v FROM orders")
    error = failure(stream, "id v", (2, "x"))
    assert "cannot change the table" in error.message
    assert "Drop the views" in error.advice
    assert stream.rows() == [(1, 5)]


# Names.


def test_a_name_of_63_bytes_is_the_longest(stream: Stream) -> None:
    longest = "é" * 31 + "x"
    stream.push = stream.push.model_copy(update={"key": (longest,)})
    stream.write(f"{longest} v", (1, "a"))
    assert list(declared(stream)) == [longest, "v"]
    assert "at most 63 bytes" in failure(stream, f"{longest} {longest}y", (1, 2)).message


def test_a_key_on_a_table_of_long_names_gets_an_index(url: str) -> None:
    stream = Stream(url, table="t" * 60, key=["a" * 60])
    stream.execute(f"CREATE TABLE {'t' * 60} ({'a' * 60} BIGINT)")
    stream.write("a" * 60, (1,))
    assert stream.write("a" * 60, (1,)).unchanged == 1
    stream.close()


def test_the_urls_search_path_chooses_the_schema(url: str) -> None:
    stream = Stream(url)
    stream.execute("CREATE SCHEMA shop")
    inside = Stream(f"{url}?options=-csearch_path%3Dshop")
    inside.write("id", (1,))
    assert stream.rows("SELECT * FROM shop.orders") == [(1,)]
    assert destination_reference(stream.push) != destination_reference(inside.push)
    stream.close()
    inside.close()


# What goes wrong.


@pytest.mark.parametrize(
    ("change", "told", "kind"),
    [
        ((":s3cret-postgres-password@", ":s3cret-wrong@"), "does not let this user in", "failed"),
        (("/db", "/no_such_db"), "does not exist", "failed"),
        (("astrio:", "nobody:"), "does not let this user in", "failed"),
    ],
)
def test_a_door_that_stays_shut_is_told(
    url: str, change: tuple[str, str], told: str, kind: str
) -> None:
    error = failure(Stream(url.replace(*change)), "id", (1,))
    assert isinstance(error, DestinationError)
    assert told in error.message
    assert error.advice


def test_a_server_that_is_away_is_told_with_its_address() -> None:
    port = unused_url().rpartition(":")[2]
    error = failure(Stream(f"postgresql://ann:s3cret-x@127.0.0.1:{port}/shop"), "id", (1,))
    assert isinstance(error, DestinationBusyError)
    assert f"postgresql://127.0.0.1:{port}/shop cannot be reached" in error.message


def test_what_is_not_permitted_is_told(url: str) -> None:
    stream = Stream(url)
    stream.execute(
        "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN PASSWORD 's3cret-reader'"
    )
    poor = Stream(url.replace("astrio:s3cret-postgres-password", "reader:s3cret-reader"))
    error = failure(poor, "id", (1,))
    assert "does not permit a statement" in error.message
    assert "GRANT" in error.advice
    stream.close()


def test_a_database_that_takes_no_writes_is_told(url: str) -> None:
    stream = Stream(f"{url}?options=-cdefault_transaction_read_only%3Don")
    assert "takes no writes" in failure(stream, "id", (1,)).message


def test_a_table_that_another_session_holds_is_told(url: str) -> None:
    stream = Stream(url)
    stream.write("id", (1,))
    hurried = Stream(f"{url}?options=-cstatement_timeout%3D300")
    with stream.database.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE orders")
        error = failure(hurried, "id", (2,))
    assert isinstance(error, DestinationBusyError)
    hurried.write("id", (2,))
    assert stream.rows() == [(1,), (2,)]
    stream.close()


def test_without_its_driver_the_way_to_install_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    name = "astrio.tasks.destinations.sql.dialects.postgresql"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="needs its driver") as caught:
        destination_reference(
            PushSettings.model_validate({"to": {"url": "postgresql://h/d"}, "table": "t"})
        )
    assert "astrio[postgres]" in caught.value.advice


@pytest.fixture(scope="module")
def shaky() -> Iterator[PostgresServer]:
    """A server of this module's own, which may be restarted."""
    try:
        with postgres_server({"fsync": "off"}) as server:
            yield server
    except CannotStartError as error:
        pytest.skip(f"no PostgreSQL server: {error}")


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_restart_in_the_middle_loses_nothing_that_was_committed(
    shaky: PostgresServer, mode: str
) -> None:
    stream = Stream(shaky.create_database())
    destination = stream.open()
    destination.commit(Chunk([batch("id", (1,), (2,))], resume=lambda _: {"at": 2}))
    shaky.restart(mode)
    with pytest.raises(DestinationBusyError):
        destination.commit(Chunk([batch("id", (3,))]))
    destination.close()
    stream.database.dispose()
    second = stream.open("run-2", wait=True)
    assert stream.state.resume == {"at": 2}
    second.commit(Chunk([batch("id", (3,))]))
    second.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
    assert stream.rows() == [(1,), (2,), (3,)]
    assert last_runs(stream.push, "shop")[0]["state"] == "completed"
    stream.close()


# Replacing.


def replacing(url: str, *rows: tuple[Any, ...]) -> Stream:
    stream = Stream(url, mode="replace")
    stream.write("id v", *rows)
    return stream


def test_what_was_built_on_the_table_outlives_its_replacement(url: str) -> None:
    stream = replacing(url, (1, "a"), (2, "b"))
    stream.execute(
        "CREATE VIEW shown AS SELECT v FROM orders",
        "CREATE TABLE items (order_id BIGINT REFERENCES orders (id))",
        "INSERT INTO items VALUES (2)",
        "ALTER TABLE orders ADD COLUMN seen INT DEFAULT 7",
        "UPDATE orders SET seen = 1",
    )
    stream.write("id v", (2, "new"), (3, "c"))
    assert stream.rows() == [(2, "new", 7), (3, "c", 7)]
    assert stream.rows("SELECT v FROM shown ORDER BY v") == [("c",), ("new",)]
    assert stream.rows("SELECT * FROM items") == [(2,)]
    stream.close()


def test_a_row_that_others_refer_to_cannot_be_replaced_away(url: str) -> None:
    stream = replacing(url, (1, "a"), (2, "b"))
    stream.execute(
        "CREATE TABLE items (order_id BIGINT REFERENCES orders (id))",
        "INSERT INTO items VALUES (1)",
    )
    error = failure(stream, "id v", (2, "new"))
    assert "foreign key" in error.message
    assert stream.rows() == [(1, "a"), (2, "b")]
    stream.close()


def test_rows_that_change_places_in_a_unique_column_are_replaced(url: str) -> None:
    stream = replacing(url, (1, "a"), (2, "b"))
    stream.execute("CREATE UNIQUE INDEX ON orders (v)")
    stream.write("id v", (1, "b"), (2, "a"))
    assert stream.rows() == [(1, "b"), (2, "a")]
    stream.close()


# The ledger.


def test_the_ledger_may_live_there_in_a_schema_of_its_own(
    url: str, monkeypatch: pytest.MonkeyPatch, home: Any
) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", url)
    assert known_streams() == []
    known = KnownStream("shop", "somewhere", "orders", None, "/", "2026-01-01T00:00:00", "failed")
    assert remember_stream(known) is None
    assert remember_stream(known) is None
    assert known_streams() == [known]
    stream = Stream(url)
    query = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
    assert stream.rows(query) == [("astrio",)]
    stream.close()
    assert not home.exists()


# Several runs at once.

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
QUEUE = 0x61737472696F
"""Locked by whoever makes or changes tables."""


def test_the_transaction_that_a_deadlock_ends_is_done_again(
    postgres: PostgresServer, stream: Stream
) -> None:
    stream.write("id v", (1, "a"), (2, "a"))
    opened = stream.open()
    with (
        psycopg.connect(str(stream.push.target.url), autocommit=True) as watcher,
        psycopg.connect(str(stream.push.target.url)) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        # Who looks for deadlocks late is never the one that is ended.
        other.execute("SET deadlock_timeout = '100s'")
        other.execute("UPDATE orders SET v = 'other' WHERE id = 1")
        commit = thread.submit(opened.commit, Chunk([batch("id v", (2, "mine"), (1, "mine"))]))
        until = time.monotonic() + 20
        while watcher.execute(WAITING).fetchone() == (0,):
            assert time.monotonic() < until
        other.execute("UPDATE orders SET v = 'other' WHERE id = 2")
        other.commit()
        assert commit.result(timeout=60).written == 2
    assert stream.rows() == [(1, "mine"), (2, "mine")]


def test_a_slice_whose_beginning_a_deadlock_ends_is_begun_again(
    postgres: PostgresServer, stream: Stream, url: str
) -> None:
    stream.write("id v", (1, "a"))
    marking = Stream(url, vanished="mark")
    opened = marking.open(begin=False)
    with (
        psycopg.connect(url, autocommit=True) as watcher,
        psycopg.connect(url) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        other.execute("SET deadlock_timeout = '100s'")
        other.execute("UPDATE orders SET v = 'other'")
        begin = thread.submit(opened.begin_slice, atomic=False)
        until = time.monotonic() + 20
        while watcher.execute(WAITING).fetchone() == (0,):
            assert time.monotonic() < until
        other.execute("SELECT pg_advisory_xact_lock(%s)", (QUEUE,))  # to change the table, too
        other.commit()
        begin.result(timeout=60)
    assert opened.commit(Chunk([batch("id v", (2, "b"))])).written == 1
    assert "_astrio_deleted_at" in stream.columns()
    marking.close()


def test_parts_that_make_the_table_and_its_columns_at_once_do_not_collide(stream: Stream) -> None:
    stream.open(begin=False).close()
    parts = [stream.open(f"run-{n}", part=Part((f"part {n}",))) for n in range(4)]
    ready = threading.Barrier(4)

    def write(number: int) -> int:
        ready.wait(20)
        found = 0
        for turn in range(3):
            value = [number, 0.5, "x"][turn]
            row = (number * 10 + turn, value, number)
            found += parts[number].commit(Chunk([batch(f"id v c{turn}", row)])).written
        return found

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(write, range(4))) == [3] * 4
    assert stream.rows("SELECT count(*), count(v) FROM orders") == [(12, 12)]
    assert declared(stream)["v"] == "text"


# Rows are copied into a table that the run itself has made, until a key comes again.


def test_a_key_that_comes_again_in_a_later_chunk_of_a_first_load_is_merged(stream: Stream) -> None:
    destination = stream.open()
    counts = []
    for rows in ([(1, 1), (2, 1)], [(3, 1)], [(2, 1), (1, 2), (4, 1)], [(5, 1), (5, 2)], [(6, 1)]):
        written = destination.commit(Chunk([batch("id n", *rows)]))
        counts.append((written.written, written.unchanged))
    assert counts == [(2, 0), (1, 0), (2, 1), (2, 0), (1, 0)]
    assert sorted(stream.rows()) == [(1, 2), (2, 1), (3, 1), (4, 1), (5, 2), (6, 1)]


def test_an_older_version_that_comes_again_in_a_first_load_changes_nothing(url: str) -> None:
    stream = Stream(url, version="n")
    destination = stream.open()
    for row in ((1, 2), (1, 1), (1, 3)):
        destination.commit(Chunk([batch("id n", row)]))
    assert stream.rows() == [(1, 3)]
    stream.close()


def test_a_row_that_is_refused_in_a_first_load_leaves_the_others(stream: Stream) -> None:
    destination = stream.open()
    destination.commit(Chunk([batch("id n", (1, 1))]))
    stream.execute("ALTER TABLE orders ADD CHECK (n < 9)")
    written = destination.commit(Chunk([batch("id n", (2, 2), (3, 9), (4, 4))]))
    assert (written.written, len(written.failed)) == (2, 1)
    assert stream.rows() == [(1, 1), (2, 2), (4, 4)]
