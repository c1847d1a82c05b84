"""The MySQL destination, on a MariaDB server: what is true of it alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.contracts.destination import DestinationContract
from tests.contracts.renewing import RenewalContract
from tests.contracts.replacing import ReplaceContract
from tests.contracts.stream import Stream, batch, rejected

from astrio.blocks.errors import AstrioError, DestinationError
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    destination_reference,
    quarantine_records,
    quarantine_rows,
)


@pytest.fixture
def url(mysql_url: str) -> str:
    return mysql_url


class TestMysql(DestinationContract):
    undoes_changes = False
    text = "longtext"

    def read_json(self, stored: Any) -> Any:
        return json.loads(stored)


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
    return {str(row[0]): str(row[1]) for row in stream.rows(f"SHOW COLUMNS FROM {table}")}


def failure(stream: Stream, columns: str, *rows: tuple[Any, ...]) -> AstrioError:
    with pytest.raises(AstrioError) as caught:
        stream.write(columns, *rows)
    assert "s3cret" not in str(caught.value)
    return caught.value


# The URL.


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb", "mysql+mysqldb"])
def test_every_name_of_it_means_the_same(url: str, scheme: str) -> None:
    stream = Stream(url)
    stream.write("id name", (1, "Ann"))
    other = Stream(url)
    target = other.push.to.model_copy(update={"url": url.replace("mysql", scheme, 1)})  # type: ignore[union-attr] # it is a URL
    other.push = other.push.model_copy(update={"to": target})
    assert other.write("id name", (1, "Ann")).unchanged == 1
    assert destination_reference(other.push) == destination_reference(stream.push)
    assert "s3cret" not in destination_reference(other.push)
    for each in (stream, other):
        each.close()


def test_the_servers_own_mode_and_zone_do_not_matter(stream: Stream) -> None:
    stream.execute("SET GLOBAL sql_mode = '', GLOBAL time_zone = '+05:00'")
    try:
        moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, at TIMESTAMP(6) NULL, "
            "short VARCHAR(3))"
        )
        written = stream.write("id at short", (0, moment, "abc"), (1, moment, "abcd"))
        assert [each.key for each in written.failed] == [(1,)]
        stream.execute("SET time_zone = '+00:00'")
        [(number, at, _)] = stream.rows(
            "SELECT id, CONVERT_TZ(at, @@time_zone, '+00:00'), short FROM orders"
        )
        assert (number, at) == (0, moment.replace(tzinfo=None))
    finally:
        stream.execute("SET GLOBAL sql_mode = DEFAULT, GLOBAL time_zone = DEFAULT")


# Types.


def test_columns_are_declared_by_the_values_seen(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    values = (1, 0.5, True, "x", {}, 10**20, None, moment, date(2026, 1, 2), Decimal("1.5"))
    stream.write("id f b t j n u m d e", values)
    found = declared(stream)
    assert found | {"j": "json"} == {
        "id": "bigint(20)",
        "f": "double",
        "b": "tinyint(1)",
        "t": "longtext",
        "j": "json",
        "n": "decimal(65,30)",
        "u": "longtext",
        "m": "datetime(6)",
        "d": "date",
        "e": "decimal(65,30)",
    }
    at = moment.replace(tzinfo=None)
    assert stream.rows() == [
        (1, 0.5, True, "x", "{}", Decimal(10**20), None, at, date(2026, 1, 2), Decimal("1.5"))
    ]
    assert stream.write("id f b t j n u m d e", values).unchanged == 1


def test_numbers_stay_exact_whatever_comes_later(stream: Stream) -> None:
    stream.write("id v", (1, 5), (2, 2**63 - 1))
    assert declared(stream)["v"] == "bigint(20)"
    stream.write("id v", (3, 2**63), (4, Decimal("0.10")), (5, Decimal("1E+3")))
    assert declared(stream)["v"] == "decimal(65,30)"
    assert [row[1] for row in stream.rows()] == [5, 2**63 - 1, 2**63, Decimal("0.1"), 1000]
    assert stream.write("id v", (1, 5), (3, 2**63)).unchanged == 2


@pytest.mark.parametrize("value", [10**35, Decimal("1e-31"), Decimal(10) ** 40, Decimal("NaN")])
def test_a_number_with_more_digits_than_a_decimal_is_a_text(stream: Stream, value: Any) -> None:
    stream.write("id v", (1, Decimal("2.50")), (2, 3), (3, 10**34))
    stream.write("id v", (4, value))
    assert [row[1] for row in stream.rows()] == ["2.5", "3", str(10**34), str(value)]
    assert stream.write("id v", (4, value)).unchanged == 1


def test_values_turn_into_the_same_text_as_elsewhere(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 60, UTC)
    whole = moment.replace(microsecond=0)
    values = [0.1, 1.0, 1e16, 1e-7, 123456789.125, -2.5e-300, 1e15]
    rows = [(n, v, True, moment, whole, date(2026, 1, 2)) for n, v in enumerate(values)]
    stream.write("id a b c d e", *rows)
    stream.write("id a b c d e", (99, "x", "x", True, True, True))
    assert [row[1] for row in stream.rows()] == [*map(str, values), "x"]
    assert stream.rows()[0][2:] == (
        *("true", "2026-01-02T03:04:05.000060+00:00", "2026-01-02T03:04:05+00:00"),
        "2026-01-02",
    )
    assert stream.columns() == ["id", "a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (0.5, "0.5"),
        (True, "true"),
        (Decimal("1.50"), "1.5"),
    ],
)
def test_a_part_of_a_key_turns_into_the_same_text(url: str, first: Any, then: str) -> None:
    stream = Stream(url, key=["shop", "id"])
    stream.write("shop id n", (1, first, "a"))
    stream.write("shop id n", (1, "x", "b"))
    assert stream.rows("SELECT id, n FROM orders ORDER BY n") == [(then, "a"), ("x", "b")]
    assert inspect(stream.database).get_pk_constraint("orders")["constrained_columns"] == [
        "shop",
        "id",
    ]
    stream.close()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_float_beyond_all_numbers_fails_its_row_alone(stream: Stream, value: float) -> None:
    written = stream.write("id v", (1, 0.5), (2, value))
    (reject,) = written.failed
    assert "cannot be stored" in reject.problems[0].reason
    assert stream.rows() == [(1, 0.5)]


def test_every_character_is_kept(stream: Stream) -> None:
    text = "a'b\"c\\d%s\n\t\x1aé€😀 "
    stream.write("id v", (1, text))
    assert stream.rows() == [(1, text)]
    assert stream.write("id v", (1, text)).unchanged == 1
    assert stream.write("id v", (1, text.rstrip())).written == 1
    assert stream.rows() == [(1, text.rstrip())]


def test_json_keeps_the_order_of_its_keys_and_exact_numbers(stream: Stream) -> None:
    value = {"z": 1, "a": {"n": Decimal("1.50")}, "é": ["ü", None, True, 10**30]}
    stream.write("id v", (1, value))
    [(_, stored)] = stream.rows()
    assert stored == '{"z":1,"a":{"n":"1.50"},"é":["ü",null,true,1000000000000000000000000000000]}'
    assert stream.write("id v", (1, value)).unchanged == 1


# Keys.


def test_keys_that_differ_in_case_or_in_a_blank_are_two(stream: Stream) -> None:
    keys = ["a", "A", "a ", "ä", "é", "e\u0301", ""]
    assert stream.write("id n", *((key, 1) for key in keys)).written == len(keys)
    assert stream.write("id n", *((key, 1) for key in keys)).unchanged == len(keys)
    assert stream.write("id n", ("A", 2)).written == 1
    assert len(stream.rows()) == len(keys)


def test_a_users_collation_decides_which_keys_are_the_same(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci "
        "PRIMARY KEY, n BIGINT)"
    )
    written = stream.write("id n", ("a", 1), ("b", 2), ("A", 3), ("a ", 4), ("c", 5))
    assert (written.written, written.unchanged) == (5, 0)
    assert stream.rows() == [("a", 4), ("b", 2), ("c", 5)]


def test_a_text_that_differs_in_case_alone_is_written_again(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, v VARCHAR(9))")
    stream.write("id v", (1, "ann"))
    assert stream.write("id v", (1, "Ann")).written == 1
    assert stream.rows() == [(1, "Ann")]


def test_a_key_too_long_for_an_index_fails_its_row_alone(stream: Stream) -> None:
    written = stream.write("id n", ("a" * 768, 1), ("b" * 769, 2))
    assert [each.problems[0].reason for each in written.failed] == [
        "the database refuses the row: Data too long for column 'id'"
    ]
    assert stream.rows("SELECT length(id), n FROM orders") == [(768, 1)]
    assert declared(stream)["id"] == "varchar(768)"


def test_a_column_of_long_texts_may_become_a_key(url: str) -> None:
    stream = Stream(url, mode="append", key=[])
    stream.write("name n", ("a", 1), ("b", 2))
    other = Stream(url, key=["name"])
    written = other.write("name n", ("a", 1), ("b", 3))
    assert (written.written, written.unchanged) == (1, 1)
    other.close()
    stream.close()


def test_another_unique_column_never_lets_a_row_take_the_place_of_another(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, mail VARCHAR(9) UNIQUE)")
    stream.write("id mail", (1, "a"), (2, "b"))
    written = stream.write("id mail", (3, "a"), (4, "d"))
    assert [each.problems[0].reason for each in written.failed] == [
        "the database refuses the row: Duplicate entry for key 'mail'"
    ]
    assert stream.rows() == [(1, "a"), (2, "b"), (4, "d")]


def test_the_quarantine_has_one_open_row_for_each_record_however_long_its_key(
    stream: Stream,
) -> None:
    for name in ("run-1", "run-2"):
        destination = stream.open(name)
        rejects = [rejected({"id": each}, (each,)) for each in ("x" * 2000, "a", "a ")]
        destination.commit(Chunk([batch("id", rejects=rejects)]))
        destination.close()
    assert [row["seen"] for row in quarantine_rows(stream.push, "shop")] == [2, 2, 2]


# Tables that others made.


def test_a_table_with_other_columns_is_told_column_by_column(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, a INTEGER, b DATETIME, c SMALLINT UNSIGNED)"
    )
    error = failure(stream, "id a b c", (1, "x", 5, 0.5))
    assert isinstance(error, DestinationError)
    for words in ("a is int, and its values are texts", "b is datetime, and", "c is smallint"):
        assert words in error.message
    assert stream.rows() == []


def test_users_types_take_what_fits(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, a VARCHAR(5), b DATETIME, c TIMESTAMP NULL,"
        " d JSON, e DECIMAL(6, 2), f FLOAT, g ENUM('ok', 'bad'), i DATE, k BIGINT UNSIGNED,"
        " l BINARY(3), m YEAR)"
    )
    moment = datetime.fromisoformat("2026-01-02T03:04:05+02:00")
    late = "2026-01-02T03:04:05Z"
    row = (1, "abc", moment, late, {"b": 1}, 1.5, 0.1, "ok", "2026-01-02", 7, "xyz", "2026")
    columns = "id a b c d e f g i k l m"
    stream.write(columns, row)
    [stored] = stream.rows()
    assert stored[:4] == (
        *(1, "abc", datetime(2026, 1, 2, 1, 4, 5), datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 (columns without a zone)
    )
    assert stored[4:] == (
        *('{"b":1}', Decimal("1.50"), 0.1, "ok", date(2026, 1, 2), 7, b"xyz", 2026),
    )
    assert stream.write(columns, row).unchanged == 1


def test_a_value_that_a_users_column_refuses_fails_its_row_with_a_reason(stream: Stream) -> None:
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, at DATETIME, short VARCHAR(3),"
        " total DECIMAL(9, 2) CHECK (total >= 0), n TINYINT)",
        "CREATE TRIGGER no_seven BEFORE INSERT ON orders FOR EACH ROW IF NEW.n = 7 THEN "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'seven is no number'; END IF",
    )
    written = stream.write(
        "id at short total n",
        (1, "2026-01-02", "abc", 1, 1),
        (2, "not a date", "abc", 1, 1),
        (3, "2026-01-02", "abcd", 1, 1),
        (4, "2026-01-02", "abc", -1, 1),
        (5, "2026-01-02", "abc", 1, 1000),
        (6, "2026-01-02", "abc", 1, 7),
    )
    assert written.written == 1
    said = {each.key[0]: each.problems[0].reason for each in written.failed if each.key}
    head = "the database refuses the row: "
    assert said == {
        2: f"{head}Incorrect datetime value for column 'at'",
        3: f"{head}Data too long for column 'short'",
        4: f"{head}CONSTRAINT `orders.total` failed for 'orders'",
        5: f"{head}Out of range value for column 'n'",
        6: f"{head}seven is no number",
    }


def test_what_only_the_database_fills_is_told(stream: Stream) -> None:
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, n BIGINT, twice BIGINT AS (n * 2))")
    error = failure(stream, "id n twice", (1, 5, 9))
    assert "which the database fills" in error.message
    stream.write("id n", (1, 5))
    assert stream.rows() == [(1, 5, 10)]


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_table_without_transactions_is_refused(stream: Stream, engine: str) -> None:
    stream.execute(f"CREATE TABLE orders (id BIGINT PRIMARY KEY) ENGINE={engine}")
    error = failure(stream, "id", (1,))
    assert f"kept by the engine {engine}" in error.message
    assert "ENGINE=InnoDB" in error.advice


def test_a_table_is_found_whatever_the_case_of_its_name(stream: Stream) -> None:
    stream.execute('CREATE TABLE "Orders" (id BIGINT PRIMARY KEY, name VARCHAR(9))')
    stream.write("id name", (1, "Ann"))
    assert stream.rows('SELECT * FROM "Orders"') == [(1, "Ann")]


def test_a_name_of_64_bytes_is_the_longest(stream: Stream) -> None:
    stream.write(f"id {'a' * 64}", (1, 1))
    assert "at most 64 bytes" in failure(stream, f"id {'b' * 65}", (1, 1)).message


def test_a_key_on_a_table_of_long_names_gets_an_index(url: str) -> None:
    table, key = "t" * 60, "k" * 60
    stream = Stream(url, table=table, key=[key])
    stream.execute(f"CREATE TABLE {table} ({key} BIGINT)")
    stream.write(key, (1,), (2,))
    assert stream.write(key, (1,)).unchanged == 1
    stream.close()


# Statements.


def test_rows_larger_than_a_packet_are_sent_in_several(stream: Stream) -> None:
    written = stream.write("id v", *((number, "é" * 700_000) for number in range(20)))
    assert written.written == 20
    assert stream.rows("SELECT count(*), min(char_length(v)) FROM orders") == [(20, 700_000)]


def test_a_row_larger_than_a_packet_fails_alone(stream: Stream) -> None:
    stream.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        written = stream.write("id v", (1, "a"), (2, "b" * 1_100_000), (3, "c"))
    finally:
        stream.execute("SET GLOBAL max_allowed_packet = DEFAULT")
    assert [each.problems[0].reason for each in written.failed] == [
        "the database refuses the row: it is larger than max_allowed_packet"
    ]
    assert stream.rows() == [(1, "a"), (3, "c")]
    (row,) = quarantine_rows(stream.push, "shop")
    (shown,) = quarantine_records(stream.push, "shop", [row["id"]])
    assert shown["missing"] == "it was larger than the database takes"


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
        "CREATE TABLE log (id BIGINT)",
        "CREATE TRIGGER logged AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
    )
    stream.write("id v", (2, "new"), (3, "c"))
    assert stream.rows() == [(2, "new", 7), (3, "c", 7)]
    assert stream.rows("SELECT v FROM shown ORDER BY v") == [("c",), ("new",)]
    assert stream.rows("SELECT * FROM items") == [(2,)]
    assert stream.rows("SELECT * FROM log") == [(3,)]
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
    stream = Stream(url, mode="replace")
    stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, v VARCHAR(9) UNIQUE)")
    stream.write("id v", (1, "a"), (2, "b"))
    stream.write("id v", (1, "b"), (2, "a"))
    assert stream.rows() == [(1, "b"), (2, "a")]
    stream.close()


@pytest.mark.parametrize("mode", ["replace", "upsert"])
def test_rows_are_looked_up_whatever_the_statistics_tell(url: str, mode: str) -> None:
    stream = Stream(url, mode=mode)
    stream.execute(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, v VARCHAR(9)) "
        "STATS_PERSISTENT=1, STATS_AUTO_RECALC=0"
    )
    stream.write("id v", *((number, "old") for number in range(2_000)))
    stream.execute(
        "UPDATE mysql.innodb_table_stats SET n_rows = 2, clustered_index_size = 1 "
        "WHERE database_name = DATABASE()",
        "RENAME TABLE orders TO other",  # read anew
        "RENAME TABLE other TO orders",
    )
    before = scanned(stream)
    stream.write("id v", *((number, "new") for number in range(1, 2_001)))
    assert scanned(stream) - before < 20_000  # 4,000,000 where all are read for each
    stream.close()


def scanned(stream: Stream) -> int:
    """Return how many rows the server has read one after the other."""
    [(_, count)] = stream.rows("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'")
    return int(count)


def test_a_column_of_many_floats_that_becomes_a_text_is_read_once(url: str) -> None:
    stream = Stream(url)
    stream.write("id v", *((number, number / 7) for number in range(2_000)))
    before = scanned(stream)
    stream.write("id v", (0, "text"))
    assert scanned(stream) - before < 30_000  # 4,000,000 where all are read for each value
    assert stream.rows("SELECT v FROM orders WHERE id = 7") == [("1.0",)]
    stream.close()


def test_an_index_that_the_server_is_to_ignore_is_not_asked_for(url: str) -> None:
    stream = Stream(url)
    stream.execute(
        "CREATE TABLE orders (id BIGINT, v VARCHAR(9), UNIQUE INDEX one (id))",
        "CREATE UNIQUE INDEX two ON orders (id)",
        "ALTER TABLE orders ALTER INDEX one IGNORED",
    )
    stream.write("id v", (1, "a"), (2, "b"))
    assert stream.write("id v", (1, "a"), (2, "c")).written == 1
    assert stream.rows() == [(1, "a"), (2, "c")]
    stream.close()
