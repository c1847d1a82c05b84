"""A pydantic model, or a function, as the set of rules."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator
from tests.tasks.rules.judging import batch

from astrio.tasks.batch import Batch, Reject
from astrio.tasks.rules.model import compile_model

COLUMNS = ("customer.email", "customer.age", "status", "note")
NUMBER = "c56a4180-65aa-42ec-a945-5fd21dec0538"


class Status(Enum):
    OPEN = "open"
    CLOSED = "closed"


class Customer(BaseModel):
    email: str = Field(pattern="@")
    age: int | None = Field(ge=18)
    language: str = "en"


class Order(BaseModel):
    customer: Customer
    status: Status = Status.OPEN


def validated(model: Any, *rows: tuple[Any, ...], columns: tuple[str, ...] = COLUMNS) -> Batch:
    return compile_model(model, columns, key=columns[:1]).validate(batch(columns, *rows))


def told(rejects: list[Reject]) -> list[tuple[str | None, str]]:
    return [(each.field, each.rule) for reject in rejects for each in reject.problems]


def test_a_record_that_fits_the_model_passes() -> None:
    after = validated(Order, ("a@x", 18, "open", "as it was"), ("a@x", None, "closed", None))
    assert after.rows == [("a@x", 18, "open", "as it was"), ("a@x", None, "closed", None)]
    assert after.rejects == []


def test_all_that_does_not_fit_is_told_by_its_field_and_never_shown() -> None:
    row = ("someone-at-home", 17, "canary", None)
    after = validated(Order, ("a@x", 18, "open", None), row)
    assert list(after.sources) == [0]
    assert [(reject.record, reject.key) for reject in after.rejects] == [(1, row[:1])]
    problems = after.rejects[0].problems
    assert [(each.field, each.rule) for each in problems] == [
        ("customer.email", "string_pattern_mismatch"),
        ("customer.age", "greater_than_equal"),
        ("status", "enum"),
    ]
    assert problems[0].value == 'text of 15 characters, the first is "s"'
    assert "someone-at-home" not in repr(problems)
    assert "canary" not in repr(problems)
    assert after.broken["customer.age", "greater_than_equal", "error"] == 1


def test_what_the_model_makes_of_a_value_takes_its_place() -> None:
    class Row(BaseModel):
        day: date
        at: datetime
        price: Decimal
        number: UUID
        tags: set[str]
        size: int

    columns = ("day", "at", "price", "number", "tags", "size")
    row = ("2024-02-29", "2024-02-29T12:30:00", "1.50", NUMBER, ["a"], "7")
    [made] = validated(Row, row, columns=columns).rows
    moment = datetime(2024, 2, 29, 12, 30)  # noqa: DTZ001 (as the text has no zone)
    assert made == (date(2024, 2, 29), moment, Decimal("1.50"), NUMBER, ["a"], 7)


def test_a_null_is_a_missing_value_where_the_model_has_a_default() -> None:
    columns = ("customer.email", "customer.age", "customer.language", "status")
    [row] = validated(Order, ("a@x", 18, None, None), columns=columns).rows
    assert row == ("a@x", 18, "en", "open")


def test_a_null_is_refused_where_the_model_requires_a_value() -> None:
    after = validated(Order, (None, 18, "open", None))
    assert told(after.rejects) == [("customer.email", "string_type")]


def test_aliases_are_the_names_of_columns() -> None:
    class Row(BaseModel):
        model_config = ConfigDict(extra="forbid")
        order_id: int = Field(alias="orderId")

    assert validated(Row, ("7",), columns=("orderId",)).rows == [(7,)]
    assert told(validated(Row, (7, 1), columns=("orderId", "more")).rejects) == [
        ("more", "extra_forbidden")
    ]


def test_the_tag_of_a_union_is_not_repeated() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    class Row(BaseModel):
        pet: Annotated[Cat | Dog, Field(discriminator="kind")]

    after = validated(Row, ({"kind": "canary"},), columns=("pet",))
    assert told(after.rejects) == [("pet", "union_tag_invalid")]
    assert "canary" not in repr(after.rejects[0].problems)


def test_places_in_lists_are_told() -> None:
    class Row(BaseModel):
        sizes: list[int]

    after = validated(Row, ([1, "x", "y"],), columns=("sizes",))
    assert told(after.rejects) == [("sizes[1]", "int_parsing"), ("sizes[2]", "int_parsing")]
    assert after.broken == {("sizes[]", "int_parsing", "error"): 2}


def test_a_key_out_of_the_record_is_not_told() -> None:
    class Row(BaseModel):
        sizes: dict[str, int]
        customers: list[Customer]

    row = ({"canary": "x"}, [{"email": "x", "age": 18}])
    after = validated(Row, row, columns=("sizes", "customers"))
    assert told(after.rejects) == [
        ("sizes", "int_parsing"),
        ("customers[0].email", "string_pattern_mismatch"),
    ]


def test_a_models_own_validator_rejects_the_record() -> None:
    class Row(BaseModel):
        size: int

        @field_validator("size")
        @classmethod
        def even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("must be even")
            return 1 // (value - 4) and value

    after = validated(Row, (2,), (3,), (4,), columns=("size",))
    assert [reject.problems[0].reason for reject in after.rejects] == [
        "Value error, must be even",
        "fails on this record (ZeroDivisionError)",
    ]


def test_without_a_map_a_dot_is_part_of_the_key() -> None:
    class Row(BaseModel):
        size: int = Field(alias="a.b")

    rules = compile_model(Row, None)
    assert rules.validate(batch(("a.b",), ("7",))).rows == [(7,)]


def adult(record: dict[str, Any]) -> Any:
    answers = {
        "raises": lambda: int("x"),
        "empty": lambda: exec("raise ValueError"),
        "breaks": lambda: 1 / 0,
        "nonsense": lambda: 7,
    }
    answer = record["customer"]["age"]
    return answers[answer]() if answer in answers else answer


@pytest.mark.parametrize("answer", [None, True])
def test_a_function_accepts_a_record(answer: Any) -> None:
    after = validated(lambda record: answer, ("a@x", 1, "open", None))
    assert (len(after.rows), after.rejects) == (1, [])


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        (False, [(None, "adult", "is refused")]),
        ("is too young", [(None, "adult", "is too young")]),
        (["one", "two"], [(None, "adult", "one"), (None, "adult", "two")]),
        (
            {"customer.age": "is too low"},
            [("customer.age", "adult", "is too low")],
        ),
        ("x" * 600, [(None, "adult", "x" * 500 + "…")]),
        ("empty", [(None, "adult", "is refused")]),
        ("breaks", [(None, "model", "fails on this record (ZeroDivisionError)")]),
        ("nonsense", [(None, "model", "fails on this record (TypeError)")]),
    ],
)
def test_a_function_says_why_it_refuses_a_record(
    answer: Any, problems: list[tuple[str | None, str, str]]
) -> None:
    raises = answer in ("empty", "breaks", "nonsense")
    after = validated(adult, _row(answer)) if raises else validated(_named(answer), _row(1))
    assert [(e.field, e.rule, e.reason) for e in after.rejects[0].problems] == problems


def _row(answer: Any) -> tuple[Any, ...]:
    return ("a@x", answer, "open", None)


def _named(answer: Any) -> Any:
    def adult(record: dict[str, Any]) -> Any:
        return answer

    return adult


def test_a_value_error_is_a_reason() -> None:
    after = validated(adult, _row("raises"))
    assert after.rejects[0].problems[0].reason.startswith("invalid literal")


def test_a_reason_that_repeats_the_records_values_is_kept_without_them() -> None:
    def refuse(record: dict[str, Any]) -> str:
        return (
            f"{record['customer']['email']} of {record['customer']['age']} is no {record['status']}"
        )

    after = validated(refuse, ("ada@example.com", 12345, "x", None))
    assert after.rejects[0].problems[0].reason == "… of … is no x"


def test_a_models_own_words_are_kept_without_the_records_values() -> None:
    class Row(BaseModel):
        size: str

        @field_validator("size")
        @classmethod
        def whole(cls, value: str) -> str:
            return str(int(value))

    after = validated(Row, ("canary",), columns=("size",))
    assert after.rejects[0].problems[0].reason.endswith("base 10: '…'")


def test_one_record_can_be_explained() -> None:
    rules = compile_model(Order, COLUMNS)
    assert rules.explain(COLUMNS, ("a@x", 18, "open", None)) == []
    [problem] = rules.explain(COLUMNS, ("a@x", 17, "open", None))
    assert problem.value == "a whole number of 2 digits"
