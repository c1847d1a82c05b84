"""What the formats make of values: every kind, columns that come late, types that widen."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tests.tasks.destinations.files.writing import cells, lines

from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.files.format import format_of
from astrio.tasks.destinations.files.spool import CountingSpool, Spool
from astrio.tasks.destinations.files.writer import FileWriter

Rows = list[dict[str, Any]]


def write(path: Path, form: str, *pages: Rows, gzipped: bool = False, **how: Any) -> FileWriter:
    """Write each page as a chunk of its own."""
    spool = Spool(path, gzipped=gzipped)
    writer = FileWriter(format_of(form)(spool, **how), ())
    for number, page in enumerate(pages, 1):
        writer.write([batch(page, number)], set())
    writer.finish()
    return writer


def batch(rows: Rows, number: int = 1) -> Batch:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    values = [tuple(row.get(name) for name in columns) for row in rows]
    return Batch(Page(number), columns, values, rows)


def refused(path: Path, form: str, rows: Rows) -> list[tuple[Any, str]]:
    """Return the rows that are set aside, and why."""
    writer = FileWriter(format_of(form)(Spool(path)), ())
    written, _ = writer.write([batch(rows)], set())
    writer.finish()
    return [(each.record, each.problems[0].reason) for each in written.failed]


MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
EVERYTHING = {
    "yes": True,
    "small": 7,
    "long": 2**62,
    "huge": 2**80,
    "share": 0.1,
    "money": Decimal("12.50"),
    "text": 'Ada "Æ", \r\n Lovelace',
    "empty": "",
    "none": None,
    "day": date(2026, 3, 1),
    "at": MOMENT,
    "tags": ["a", {"b": None}],
    "a.b": 1,
    "a.c": {"d": 2},
}


def test_json_lines_hold_every_value_exactly(tmp_path: Path) -> None:
    write(tmp_path / "a", "jsonl", [EVERYTHING])
    text = (tmp_path / "a").read_text(encoding="utf-8")
    assert json.loads(text, parse_float=str) == {
        "yes": True,
        "small": 7,
        "long": 2**62,
        "huge": 2**80,
        "share": "0.1",
        "money": "12.50",
        "text": EVERYTHING["text"],
        "empty": "",
        "none": None,
        "day": "2026-03-01",
        "at": "2026-03-01T12:30:00+00:00",
        "tags": ["a", {"b": None}],
        "a": {"b": 1, "c": {"d": 2}},
    }


def test_csv_holds_text_that_can_be_read_back(tmp_path: Path) -> None:
    write(tmp_path / "a", "csv", [EVERYTHING])
    header, row = cells(tmp_path / "a")
    assert dict(zip(header, row, strict=True)) == {
        "yes": "true",
        "small": "7",
        "long": str(2**62),
        "huge": str(2**80),
        "share": "0.1",
        "money": "12.50",
        "text": EVERYTHING["text"],
        "empty": "",
        "none": "",
        "day": "2026-03-01",
        "at": "2026-03-01T12:30:00+00:00",
        "tags": '["a",{"b":null}]',
        "a_b": "1",
        "a_c": '{"d":2}',
    }


def test_parquet_has_the_types_of_the_values(tmp_path: Path) -> None:
    write(tmp_path / "a", "parquet", [EVERYTHING])
    table = parquet.read_table(tmp_path / "a")
    assert {field.name: str(field.type) for field in table.schema} == {
        "yes": "bool",
        "small": "int64",
        "long": "int64",
        "huge": "decimal128(38, 9)",
        "share": "double",
        "money": "decimal128(38, 9)",
        "text": "string",
        "empty": "string",
        "none": "string",
        "day": "date32[day]",
        "at": "timestamp[us, tz=UTC]",
        "tags": "string",
        "a_b": "int64",
        "a_c": "string",
    }
    [row] = table.to_pylist()
    assert row["huge"] == 2**80
    assert row["money"] == Decimal("12.5")
    assert row["at"] == MOMENT
    assert row["tags"] == '["a",{"b":null}]'


def test_a_field_that_comes_late_is_a_column_of_every_row(tmp_path: Path) -> None:
    pages = ([{"a": 1}, {"a": 2}], [{"b": 'x"\r\n'}], [{"c": 3, "a": 4}])
    wanted = [(1, None, None), (2, None, None), (None, 'x"\r\n', None), (4, None, 3)]
    write(tmp_path / "csv", "csv", *pages)
    write(tmp_path / "parquet", "parquet", *pages)
    found = parquet.read_table(tmp_path / "parquet")
    assert [tuple(row.values()) for row in found.to_pylist()] == wanted
    plain = [["" if value is None else str(value) for value in row] for row in wanted]
    assert cells(tmp_path / "csv") == [["a", "b", "c"], *plain]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["csv", "parquet"]


def test_fields_are_columns_even_before_there_are_rows(tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        writer = FileWriter(format_of(form)(Spool(tmp_path / form)), ())
        for columns, rows in ((("a", "b"), []), (("a", "c"), [(1, 2)])):
            writer.write([Batch(Page(1), columns, rows, [{} for _ in rows])], set())
        writer.finish()
    assert cells(tmp_path / "csv") == [["a", "b", "c"], ["1", "", "2"]]
    assert parquet.read_table(tmp_path / "parquet").to_pylist() == [{"a": 1, "b": None, "c": 2}]


def test_late_columns_reach_a_compressed_file_too(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", "csv", [{"a": "é"}], [{"b": 1}], gzipped=True)
    assert cells(tmp_path / "a.gz") == [["a", "b"], ["é", ""], ["", "1"]]


def test_the_same_rows_make_the_same_compressed_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write(tmp_path / name, "jsonl", [EVERYTHING], gzipped=True)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert len(lines(tmp_path / "a.gz")) == 1


@pytest.mark.parametrize(
    ("values", "kind", "held"),
    [
        ((None, 5), "int64", [None, 5]),
        ((1, 2.5), "double", [1.0, 2.5]),
        ((2.5, 1), "double", [2.5, 1.0]),
        ((1, 2**70), "decimal128(38, 9)", [Decimal(1), Decimal(2**70)]),
        ((1, "x"), "string", ["1", "x"]),
        ((True, 1), "string", ["true", "1"]),
        ((2**60, 0.5), "string", [str(2**60), "0.5"]),
        ((0.5, 2**60), "string", ["0.5", str(2**60)]),
        ((Decimal("1.50"), Decimal("0.1234567891")), "string", ["1.5", "0.1234567891"]),
        ((Decimal("1.5"), 10**30), "string", ["1.5", str(10**30)]),
        ((date(2026, 1, 1), "soon"), "string", ["2026-01-01", "soon"]),
        ((MOMENT, "soon"), "string", ["2026-03-01T12:30:00+00:00", "soon"]),
        (({"a": 1}, "x"), "string", ['{"a":1}', "x"]),
        ((False, None), "bool", [False, None]),
    ],
    ids=str,
)
def test_types_of_parquet_widen_as_those_of_sql_do(
    tmp_path: Path, values: tuple[Any, ...], kind: str, held: list[Any]
) -> None:
    write(tmp_path / "apart", "parquet", *([{"v": value}] for value in values))
    write(tmp_path / "together", "parquet", [{"v": value} for value in values])
    for name in ("apart", "together"):
        table = parquet.read_table(tmp_path / name)
        assert str(table.schema.field("v").type) == kind
    assert parquet.read_table(tmp_path / "apart").column("v").to_pylist() == held


def test_row_groups_are_bounded(tmp_path: Path) -> None:
    pages = [[{"v": number} for number in range(30_000)] for _ in range(4)]
    write(tmp_path / "a", "parquet", *pages)
    found = parquet.ParquetFile(tmp_path / "a").metadata
    assert (found.num_rows, found.num_row_groups) == (120_000, 4)
    assert max(found.row_group(number).num_rows for number in range(4)) <= 50_000


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(
    "value", [float("inf"), float("nan"), Decimal("NaN"), Decimal("-Infinity")]
)
def test_numbers_that_are_none_are_set_aside(tmp_path: Path, form: str, value: Any) -> None:
    [(record, reason)] = refused(tmp_path / "a", form, [{"v": 1.5}, {"v": value}, {"v": 2}])
    assert record["v"] is value
    assert "NaN" in reason


def test_parquet_holds_floats_that_are_no_numbers(tmp_path: Path) -> None:
    assert refused(tmp_path / "a", "parquet", [{"v": float("inf")}, {"v": float("nan")}]) == []
    [first, second] = parquet.read_table(tmp_path / "a").column("v").to_pylist()
    assert first == float("inf")
    assert math.isnan(second)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"v": "\ud800"}, "surrogate"),
        ({"v": {"deep": "\ud800"}}, "surrogate"),
        ({"v": {"deep": float("nan")}}, "JSON cannot express"),
        ({"v": b"bytes"}, "type bytes"),
        ({"v": 10**5000}, "4300 digits"),
        ({"\udcff": 1}, "surrogate"),
        ({}, "no fields"),
    ],
)
def test_what_no_file_can_hold_is_set_aside(
    tmp_path: Path, form: str, row: dict[str, Any], words: str
) -> None:
    [(record, reason)] = refused(tmp_path / "a", form, [row])
    assert record is row
    assert words in reason


def test_texts_that_look_like_formulas_are_escaped_if_that_is_asked_for(tmp_path: Path) -> None:
    rows = [{"=v": text} for text in ("=1+1", "+1", "-x", "@sum", "\tx", "ok", None)]
    rows += [{"=v": -1}, {"=v": Decimal(-2)}]
    write(tmp_path / "a", "csv", rows, escape_formulas=True)
    found = [row for [row] in cells(tmp_path / "a")]
    assert found == ["'=v", "'=1+1", "'+1", "'-x", "'@sum", "'\tx", "ok", "", "-1", "-2"]
    write(tmp_path / "b", "csv", rows)
    assert cells(tmp_path / "b")[1] == ["=1+1"]


def test_fields_that_would_share_a_name_keep_their_dots(tmp_path: Path) -> None:
    rows = [{"a.b": 1, "a_b": 2, "c": 3, "c.d": 4, ".e": 5}]
    write(tmp_path / "a", "csv", rows)
    assert cells(tmp_path / "a")[0] == ["a.b", "a_b", "c", "c_d", "_e"]
    write(tmp_path / "b", "jsonl", rows)
    assert lines(tmp_path / "b") == [{"a": {"b": 1}, "a_b": 2, "c": 3, "c.d": 4, ".e": 5}]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_file_without_rows_is_valid(tmp_path: Path, form: str) -> None:
    write(tmp_path / "a", form)
    if form == "parquet":
        assert parquet.read_table(tmp_path / "a").num_rows == 0
    else:
        assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_dry_run_counts_the_very_bytes(tmp_path: Path, form: str, *, gzipped: bool) -> None:
    write(tmp_path / "a", form, [EVERYTHING] * 50, gzipped=gzipped)
    spool = CountingSpool(gzipped=gzipped)
    writer = FileWriter(format_of(form)(spool), ())
    writer.write([batch([EVERYTHING] * 50)], set())
    writer.finish()
    assert spool.size() == (tmp_path / "a").stat().st_size


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_numbers = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
_plain = st.none() | st.booleans() | _numbers | _texts
_values = _plain | st.lists(_plain, max_size=2) | st.dictionaries(_texts, _plain, max_size=2)
_names = st.sampled_from(["a", "b", "c.d", "c_d", "c", "é"])
_pages = st.lists(
    st.lists(st.dictionaries(_names, _values, min_size=1), min_size=1, max_size=3), max_size=4
)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return repr(value)


_same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def _fields(pages: list[Rows]) -> list[str]:
    return list(dict.fromkeys(name for page in pages for row in page for name in row))


@given(_pages)
@_same_folder
def test_every_row_comes_back_from_csv(tmp_path: Path, pages: list[Rows]) -> None:
    write(tmp_path / "a", "csv", *pages)
    rows = [row for page in pages for row in page]
    fields = _fields(pages)
    found = cells(tmp_path / "a")[1:]
    assert found == [[_as_text(row.get(name)) for name in fields] for row in rows]


@given(_pages)
@_same_folder
def test_every_row_comes_back_from_json_lines(tmp_path: Path, pages: list[Rows]) -> None:
    write(tmp_path / "a", "jsonl", *pages)
    found = lines(tmp_path / "a")
    rows = [(row, set(_fields([page]))) for page in pages for row in page]
    assert found == [_nested(row, names) for row, names in rows]


def _nested(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    nests = "c.d" in names and "c" not in names
    flat = {name: row.get(name) for name in names if not (nests and name == "c.d")}
    return flat | ({"c": {"d": row.get("c.d")}} if nests else {})


@given(_pages)
@_same_folder
def test_every_row_comes_back_from_parquet(tmp_path: Path, pages: list[Rows]) -> None:
    write(tmp_path / "a", "parquet", *pages)
    rows = [row for page in pages for row in page]
    table = parquet.read_table(tmp_path / "a")
    assert table.num_rows == len(rows)
    for place, name in enumerate(_fields(pages)):
        held = table.column(place).to_pylist()
        assert list(map(_same, held, (row.get(name) for row in rows))) == [True] * len(rows)


def _same(held: Any, value: Any) -> bool:
    if value is None or held is None:
        return held is value
    if isinstance(held, str) and not isinstance(value, str):
        read: Callable[[str], Any] = json.loads
        return bool(read(held) == value)
    return bool(held == value)
