"""What expressions mean, seen through `compile_expression`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.tasks.mapping.compile import MappingContext, compile_expression

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
RECORD: dict[str, Any] = {
    "id": 7,
    "name": "Ada",
    "empty": "",
    "nothing": None,
    "yes": True,
    "price": 2.5,
    "long": 10**30,
    "huge": 10**400,
    "odd key": "odd",
    "a.b": "dotted",
    "and": "keyword",
    "customer": {"first_name": "Ada", "odd key": 1, "and": 2, "größe": 3},
    "tags": ["x", "y", "z"],
    "items": [
        {"sku": "A", "price": 1, "parts": [{"n": 1}, {"n": 2}]},
        {"price": 2, "parts": [{"n": 3}]},
        {"sku": "C", "price": 3},
    ],
}


def value(text: str, record: Any = None) -> Any:
    return compile_expression(text, CONTEXT)(RECORD if record is None else record)


def nested(levels: int) -> list[Any]:
    deep: list[Any] = []
    for _ in range(levels):
        deep = [deep]
    return deep


def is_same(found: Any, wanted: Any) -> bool:
    return bool(found == wanted and type(found) is type(wanted))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("id", 7),
        ("customer.first_name", "Ada"),
        ('customer."odd key"', 1),
        ("customer['odd key']", 1),
        ("customer.größe", 3),
        ("customer.and", 2),
        ("customer . first_name", "Ada"),
        ("tags[0]", "x"),
        ("tags[-1]", "z"),
        ("tags[3]", None),
        ("tags[-4]", None),
        ("items[1].price", 2),
        ("(customer).first_name", "Ada"),
        ("split(name, 'd')[1]", "a"),
        ('json(\'[{"a": {"b": 1}}]\')[0].a.b', 1),
        ("json('[[1, 2], [3]]')[*][0]", [1, 3]),
    ],
)
def test_paths_find_values(text: str, wanted: Any) -> None:
    assert is_same(value(text), wanted)


@pytest.mark.parametrize(
    "text",
    [
        "missing",
        "missing.deeper",
        "name.deeper",
        "tags.x",
        "customer[0]",
        "name[0]",
        "items[*].x.y",
    ],
)
def test_a_missing_path_is_null(text: str) -> None:
    found = value(text)
    assert found is None or found == [None, None, None]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("items[*].price", [1, 2, 3]),
        ("items[*].sku", ["A", None, "C"]),
        ("tags[*]", ["x", "y", "z"]),
        ("items[*].parts[*].n", [1, 2, 3]),
        ("items[*].parts[0].n", [1, 3, None]),
        ("name[*].x", None),
        ("missing[*].x", None),
    ],
)
def test_a_wildcard_makes_a_list(text: str, wanted: Any) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$.customer.first_name", "Ada"),
        ("$['odd key']", "odd"),
        ("$['a.b']", "dotted"),
        ("$.items[0].sku", "A"),
        ("$.missing", None),
        ("$.items[*].sku", ["A", "C"]),
        ("$.items[?(@.price > 1)].price", [2, 3]),
        ("$.items[?(@.sku == 'C')].price", [3]),
        ("$.missing[?(@.price > 1)]", []),
        ("first($.items[?(@.price > 1)].price) + 1", 3),
        ("concat($.name, ' ', $['odd key'])", "Ada odd"),
        ("count($..n)", 3),
    ],
)
def test_jsonpath_gives_a_value_or_a_list(text: str, wanted: Any) -> None:
    assert value(text) == wanted


def test_the_root_is_the_record_itself() -> None:
    assert value("$") is RECORD


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12", 12),
        ("-12", -12),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        (r"'it\'s'", "it's"),
        (r'"say \"hi\""', 'say "hi"'),
        ("'say \"hi\"'", 'say "hi"'),
        (r"'a\tb\\c\u00e9\ud83d\ude00'", "a\tb\\cé😀"),
        ("'two\nlines'", "two\nlines"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("[1, 'a', [null]]", [1, "a", [None]]),
        ("[]", []),
        ("android", None),
    ],
)
def test_literals_are_read_as_written(text: str, wanted: Any) -> None:
    assert is_same(value(text), wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("2 * -3", -6),
        ("-id", -7),
        ("long * long + 1", 10**60 + 1),
        ("6 / 3", 2.0),
        ("id / 2", 3.5),
        ("price * 2", 5.0),
        ("nothing + 1", None),
        ("1 - missing", None),
        ("nothing / 0", None),
        ("decimal('0.1') + 0.2", Decimal("0.3")),
        ("decimal('10') / 4", Decimal("2.5")),
        ("0.5 * decimal('3')", Decimal("1.5")),
        ("decimal(long) * long", Decimal(10**60)),
    ],
)
def test_arithmetic_keeps_whole_numbers_whole_and_nulls_null(text: str, wanted: Any) -> None:
    assert is_same(value(text), wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("id == 7", True),
        ("7 == 7.0", True),
        ("id != 8", True),
        ("name == 'Ada'", True),
        ("'Ada' == name", True),
        ("name != 'Ada'", False),
        ("yes == true", True),
        ("yes == 1", False),
        ("1 == yes", False),
        ("id == '7'", False),
        ("nothing == null", True),
        ("missing == nothing", True),
        ("null == null", True),
        ("id != null", True),
        ("tags == ['x', 'y', 'z']", True),
        ("[1] == [true]", False),
        ("customer == customer", True),
        ("json('{\"a\": 1}') == json('{\"a\": true}')", False),
        ("decimal('0.1') == 0.1", True),
        ("0.1 != decimal('0.1')", False),
        ("id < 8", True),
        ("id <= 7", True),
        ("id > 7.5", False),
        ("id >= 7", True),
        ("0.1 < decimal('0.2')", True),
        ("decimal('0.1') < 0.1", False),
        ("'a' < 'b'", True),
        ("date('2024-01-01') < date('2024-01-02')", True),
        ("nothing < 1", False),
        ("1 >= missing", False),
        ("nothing <= null", False),
    ],
)
def test_comparisons_know_kinds_and_nulls(text: str, wanted: bool) -> None:
    assert value(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("yes and name", True),
        ("empty or nothing", False),
        ("not empty", True),
        ("not yes and yes", False),
        ("not (yes and empty)", True),
        ("yes or int('x')", True),
        ("empty and int('x')", False),
        ("id == 7 and not name == 'Eve' or false", True),
        ("[] or 0 or '' or null or false", False),
    ],
)
def test_logic_gives_true_or_false_and_is_lazy(text: str, wanted: bool) -> None:
    assert value(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nothing ?? 1", 1),
        ("empty ?? 1", ""),
        ("nothing ?? missing ?? 3", 3),
        ("nothing ?? missing ?? null", None),
        ("id ?? int('x')", 7),
        ("nothing ?? id ?? int('x')", 7),
        ("nothing ?? 2 + 3", 5),
        ("nothing ?? 5 == 5", True),
    ],
)
def test_the_fallback_stands_in_for_null_only(text: str, wanted: Any) -> None:
    assert is_same(value(text), wanted)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name + 1", "+ needs numbers, not text (column 6)"),
        ("1 + yes", "+ needs numbers, not true or false (column 3)"),
        ("-name", "- needs numbers, not text (column 1)"),
        ("id / 0", "/ divides by zero (column 4)"),
        ("decimal(1) / 0", "/ divides by zero (column 12)"),
        ("decimal(0) / 0", "/ divides by zero (column 12)"),
        ("1e308 * 10", "* leaves the range of numbers (column 7)"),
        ("long * long * 1e300 * 1e300", "* leaves the range of numbers (column 13)"),
        ("huge / 3", "/ leaves the range of numbers (column 6)"),
        ("decimal('1e999') * decimal('1e999') * 0", None),
        ("name < 1", "< cannot compare text with a number (column 6)"),
        ("yes < 1", "< cannot compare true or false with a number (column 5)"),
        ("tags >= tags", ">= cannot compare a list with a list (column 6)"),
        ("lower(upper(id))", "upper() needs text, not a number (column 7)"),
        ("concat(lower(name), customer)", "concat() needs texts and numbers, not an object"),
        ("customer.first_name + int('x')", "int(): the text is not a whole number (column 23)"),
    ],
)
def test_what_does_not_fit_rejects_the_record_and_names_the_place(
    text: str, reason: str | None
) -> None:
    if reason is None:
        assert value(text) == 0
        return
    with pytest.raises(RecordRejectedError) as raised:
        value(text)
    assert raised.value.message.startswith(reason)


def test_times_with_and_without_a_zone_do_not_compare() -> None:
    record = {"a": datetime(2024, 1, 1), "b": datetime(2024, 1, 1, tzinfo=UTC)}  # noqa: DTZ001
    with pytest.raises(RecordRejectedError, match="zone"):
        value("a < b", record)


def test_subclasses_of_dict_and_list_are_objects_and_lists() -> None:
    class Strange(dict[str, Any]):
        pass

    record = Strange(a=Strange(b=[Strange(c=1)]))
    assert value("a.b[0].c", record) == 1
    assert value("a.b[*].c", record) == [1]


@pytest.mark.parametrize("record", [None, 3, "text", ["list"]])
def test_a_record_that_is_no_object_is_rejected(record: Any) -> None:
    with pytest.raises(RecordRejectedError, match="not an object"):
        compile_expression("1", CONTEXT)(record)


def test_what_a_hostile_record_makes_python_raise_is_a_rejection() -> None:
    class Explosive:
        def __eq__(self, other: object) -> bool:
            raise OSError

        __hash__ = None  # type: ignore[assignment]  # as unhashable as a list

    with pytest.raises(RecordRejectedError, match="OSError"):
        value("a == 1", {"a": Explosive()})


def test_a_list_nested_too_deep_is_a_rejection() -> None:
    with pytest.raises(RecordRejectedError, match="nested too deep"):
        value("a == b", {"a": nested(100_000), "b": nested(100_000)})


def test_a_jsonpath_that_cannot_be_applied_is_a_rejection() -> None:
    with pytest.raises(RecordRejectedError, match="cannot be applied"):
        value("$.items[/price]", {"items": [{"price": 1}, {"price": "x"}]})


def test_a_wrong_expression_is_refused_before_any_record() -> None:
    with pytest.raises(ConfigurationError, match="no function lowr"):
        compile_expression("lowr(name)", CONTEXT)


def test_the_zone_decides_the_day_of_the_run() -> None:
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    here = MappingContext(late)
    there = MappingContext(late, ZoneInfo("Asia/Tokyo"))
    assert compile_expression("calculate_age('2000-01-01')", here)({}) == 25
    assert compile_expression("calculate_age('2000-01-01')", there)({}) == 26
    assert compile_expression("datetime('2024-01-01')", there)({}).utcoffset().seconds == 9 * 3600
