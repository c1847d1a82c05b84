"""expr, when, severity and message: rules that look at the whole mapped record."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tasks.rules.judging import batch, compiled, judged

from astrio.tasks.batch import Problem

COLUMNS = ("customer.email", "customer.age", "start", "end", "order_id")


def problems(entry: dict[str, Any], **values: Any) -> list[Problem]:
    """Return what is wrong with a record, whose values are named by their columns."""
    names = {column: values.get(column.replace(".", "_")) for column in COLUMNS}
    return compiled(entry, columns=COLUMNS).explain(COLUMNS, tuple(names.values()))


def reasons(entry: dict[str, Any], **values: Any) -> list[str]:
    return [problem.reason for problem in problems(entry, **values)]


def test_an_expression_compares_fields_of_the_mapped_record() -> None:
    entry = {"expr": "end >= start"}
    assert reasons(entry, start="2024-01-01", end="2024-01-02") == []
    [problem] = problems(entry, start="2024-01-02", end="2024-01-01")
    assert (problem.field, problem.rule) == (None, "expr")
    assert problem.reason == "does not hold: end >= start"
    assert (problem.expression, problem.position, problem.value) == ("end >= start", None, None)


def test_null_is_not_true() -> None:
    assert reasons({"expr": "end >= start"}, start="2024-01-01") != []
    assert reasons({"expr": "end == null or end >= start"}, start="2024-01-01") == []


def test_an_expression_of_a_field_is_told_with_the_redacted_value() -> None:
    entry = {"field": "customer.email", "expr": "contains(customer.email, '@')"}
    [problem] = problems(entry, customer_email="someone-at-home")
    assert problem.field == "customer.email"
    assert problem.value == 'text of 15 characters, the first is "s"'


def test_the_place_at_which_an_expression_fails_is_told() -> None:
    [problem] = problems({"expr": "start > 1 and end + 1 > 2"}, start=2, end="x")
    assert problem.expression == "start > 1 and end + 1 > 2"
    assert problem.position == 19
    assert problem.reason == "+ needs numbers, not text (column 19)"


def test_a_failing_record_leaves_the_others_alone() -> None:
    checked = compiled({"expr": "end + 1 > 2"}, columns=("end",))
    after = checked.validate(batch(("end",), (2,), ("x",), (0,), (3,)))
    assert after.rows == [(2,), (3,)]
    assert [reject.record for reject in after.rejects] == [1, 2]


def test_the_short_form_is_the_same_rule() -> None:
    entry = {"field": "end", "validator": "expr:end > 1"}
    assert reasons(entry, end=1) == ["does not hold: end > 1"]


def test_now_is_the_runs_start() -> None:
    assert judged({"expr": "format_date(now(), '%Y-%m-%d') == '2026-01-02'"}, 1) == []


def test_a_list_and_an_object_are_looked_into() -> None:
    columns = ("customer", "customer.email", "items")
    checked = compiled(
        {"expr": "customer.name == 'Ada' and customer.email == 'a@x' and count(items) == 2"},
        columns=columns,
    )
    source = {"name": "Ada", "email": "old"}
    assert checked.explain(columns, (source, "a@x", [1, 2])) == []
    assert source == {"name": "Ada", "email": "old"}


def test_a_jsonpath_sees_the_whole_record() -> None:
    columns = ("items", "note")
    checked = compiled({"expr": "count($..price) == 2"}, columns=columns)
    assert checked.explain(columns, ([{"price": 1}, {"price": 2}], "x")) == []


def test_without_a_map_a_dot_is_part_of_the_key() -> None:
    checked = compiled({"expr": "$['a.b'] == 1"}, columns=None)
    assert checked.explain(("a.b", "c"), (1, 2)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"required": True},
        {"type": "email"},
        {"min": 3},
        {"in": ["b"]},
        {"unique": True},
        {"expr": "false"},
    ],
)
def test_an_entry_is_only_for_records_for_which_its_condition_is_true(
    rule: dict[str, Any],
) -> None:
    entry = {"field": "customer.email", "when": "start == 'yes'", **rule}
    checked = compiled(entry, columns=COLUMNS)
    rows = [
        (value, None, when, None, place)
        for place, (value, when) in enumerate(
            [("", "no"), ("", "yes"), (None, "yes"), ("", None), ("", "yes")]
        )
    ]
    after = checked.validate(batch(COLUMNS, *rows))
    assert {reject.record for reject in after.rejects} <= {1, 2, 4}
    assert {reject.record for reject in after.rejects} & {1, 2, 4}


def test_a_condition_that_fails_is_told_with_its_place() -> None:
    entry = {"field": "customer.age", "min": 18, "when": "start > 1"}
    [problem] = problems(entry, customer_age=17, start="x")
    assert (problem.field, problem.rule) == ("customer.age", "when")
    assert (problem.expression, problem.position) == ("start > 1", 7)
    assert problem.reason == "> cannot compare text with a number (column 7)"


def test_a_warning_lets_the_record_pass_and_is_counted() -> None:
    checked = compiled(
        {"field": "customer.age", "min": 18, "severity": "warning"},
        {"field": "customer.email", "required": True},
        columns=COLUMNS,
    )
    rows = [("a@x", 17, None, None, 1), ("", 16, None, None, 2), ("a@x", 18, None, None, 3)]
    after = checked.validate(batch(COLUMNS, *rows))
    assert after.rows == [rows[0], rows[2]]
    assert [reject.record for reject in after.rejects] == [1]
    assert [each.rule for each in after.rejects[0].problems] == ["required"]
    assert after.broken == {
        ("customer.age", "min", "warning"): 2,
        ("customer.email", "required", "error"): 1,
    }


def test_a_warning_leaves_the_value_as_it_is() -> None:
    columns = ("phone",)
    checked = compiled(
        {"field": "phone", "type": "phone", "format": "international", "severity": "warning"},
        columns=columns,
    )
    after = checked.validate(batch(columns, ("12",), ("+49 30 123456",)))
    assert after.rows == [("12",), ("+4930123456",)]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("User must be 18 or older", "User must be 18 or older"),
        ("{field} is too low", "customer.age is too low"),
        ("{field} is {value}", "customer.age is a whole number of 2 digits"),
        ("Order {{ order_id }}", "Order 7"),
        ("{{ order_id }}", "7"),
        ("Order {{ order_id + 1 }}: {{ upper(start) }}", "Order 8: JUNE"),
        ("{{ end }}.", "."),
        ("{{ order_id + start }}.", "…."),
        ("{{ [order_id] }}.", "…."),
        ("{{ customer.age }} years", "a whole number of 2 digits years"),
        ("{{ customer.age + 1 }} years", "a whole number of 2 digits years"),
        ("{{ customer }}", "an object of 2 keys"),
        ("{{ $..age }}", "a list of 1 element"),
    ],
)
def test_a_message_of_ones_own_is_filled_in(message: str, told: str) -> None:
    entry = {"field": "customer.age", "min": 18, "message": message}
    assert reasons(entry, customer_age=17, order_id=7, start="june") == [told]


def test_what_is_filled_in_is_short_and_printable() -> None:
    entry = {"field": "customer.age", "min": 18, "message": "{{ start }}"}
    [reason] = reasons(entry, customer_age=17, start="a\nb\x1b\ud800" + "x" * 1_000)
    assert reason == "a b  " + "x" * 195 + "…"


def test_the_message_of_a_rule_without_a_field_speaks_of_the_record() -> None:
    entry = {"expr": "end > start", "message": "{field}: {{ order_id }} ends too early"}
    assert reasons(entry, order_id=7) == ["the record: 7 ends too early"]


def test_a_name_from_a_record_fills_in_nothing() -> None:
    entry = {"field": "customer.age", "min": 18, "message": "{{ start }}"}
    assert reasons(entry, customer_age=17, start="{value}") == ["{value}"]
