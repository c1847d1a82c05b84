"""No rule raises, whatever the data, and one bad record never spoils its page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.tasks.rules.judging import compiled

from astrio.tasks.batch import Batch, Page
from astrio.tasks.rules.base import type_names
from astrio.tasks.rules.compile import CompiledRules
from astrio.tasks.rules.model import compile_model


def nested(depth: int, wrap: Any) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = wrap(value)
    return value


class Odd:
    """Answers every question with an exception."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


HOSTILE: dict[str, Any] = {
    "a list 100,000 deep": nested(100_000, lambda value: [value]),
    "an object 100,000 deep": nested(100_000, lambda value: {"x": value}),
    "10 MB of a": "a" * 10_000_000,
    "10 MB of e-mail": "a@" + "a." * 5_000_000 + "com",
    "10 MB of markup": "<a '&lt;" * 1_250_000,
    "10 MB of marks": "\u0301\u0327" * 5_000_000,
    "10 MB of brackets": "[" * 10_000_000,
    "a lone surrogate": "\ud800@example.com",
    "NaN": float("nan"),
    "infinity": float("-inf"),
    "a number of 30 digits": 10**30 + 1,
    "a number of 10,000 digits": 10**10_000,
    "a signalling NaN": Decimal("sNaN"),
    "a huge exponent": Decimal("1e999999"),
    "bytes": b"\xff" * 100,
    "a date": date(1, 1, 1),
    "a time": datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-23))),
    "odd keys": {"": 1, "\0": 2, "a.b": 3, "\ud800": 4, "__class__": 5},
    "a tuple": (1, 2),
    "an odd object": Odd(),
}
RULES: dict[str, dict[str, Any]] = {
    **{name: {"type": name} for name in type_names()},
    "required": {"required": True},
    "international": {"type": "phone", "format": "international", "region": "DE"},
    "format": {"type": "date", "format": "%d.%m.%Y"},
    "min": {"min": 1.5},
    "max": {"max": 10},
    "length": {"length": "1..5"},
    "pattern": {"pattern": "^(a|b)*$"},
    "in": {"in": ["a", 1, True]},
    "exists_in": {"exists_in": ["a", 1, True]},
    "unique": {"unique": True},
    "expr": {"expr": "x + 1 > 2 and lower(x) == 'a'"},
    "when": {"when": "x > 1", "required": True},
    "message": {"min": 5, "message": "{value} {{ x }} {{ upper(x) }} {{ y }}"},
    "warning": {"max": 0, "severity": "warning"},
    **{
        name: {"sanitize": [name]}
        for name in ("trim", "strip_html", "normalize_unicode", "empty_to_null")
    },
}


def held(checked: CompiledRules, *values: Any) -> Batch:
    rows = [(value, "y") for value in values]
    return checked.validate(Batch(Page(1), ("x", "y"), rows, list(range(len(rows)))))


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("name", RULES)
def test_a_hostile_value_is_accepted_or_rejected(name: str, value: Any) -> None:
    after = held(compiled({"field": "x", **RULES[name]}, columns=("x", "y")), value)
    assert len(after.rows) + len(after.rejects) == 1
    assert all(problem.reason for reject in after.rejects for problem in reject.problems)


@pytest.mark.parametrize("name", RULES)
def test_good_records_of_its_page_are_judged_as_without_it(name: str) -> None:
    good: list[Any] = ["a", 2, "", None, 1.5, True, "ada@example.com"]
    entry = {"field": "x", **RULES[name]}
    alone = held(compiled(entry, columns=("x", "y")), *good)
    among = held(compiled(entry, columns=("x", "y")), *good, *HOSTILE.values())
    wanted = {reject.record: reject.problems[0].reason for reject in alone.rejects}
    found = {reject.record: reject.problems[0].reason for reject in among.rejects}
    assert {place: found.get(place) for place in range(len(good))} == {
        place: wanted.get(place) for place in range(len(good))
    }


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_model_meets_a_hostile_value(value: Any) -> None:
    class Row(BaseModel):
        x: int | str | list[int] | dict[str, int]

    def refuses(record: dict[str, Any]) -> str:
        return "is refused"

    for judge in (Row, refuses):
        after = held(compile_model(judge, ("x", "y")), value)
        assert len(after.rows) + len(after.rejects) == 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC) | st.none())
    | st.sampled_from(["ada@example.com", "+49 30 123456", "https://x.de", "2024-02-29", "::1"]),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=8,
)
ALL = [{"field": "x", **rule} for rule in RULES.values()]


@settings(max_examples=500, deadline=None)
@given(st.lists(VALUES, max_size=8))
def test_no_rule_raises(values: list[Any]) -> None:
    after = held(compiled(*ALL, columns=("x", "y")), *values)
    assert len(after.rows) + len(after.rejects) == len(values)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6), st.sampled_from(sorted(RULES)))
def test_rows_are_judged_together_as_they_are_one_by_one(values: list[Any], name: str) -> None:
    entry = {"field": "x", **RULES[name]}
    if name == "unique":
        values = values[:1]
    together = held(compiled(entry, columns=("x", "y")), *values)
    one_by_one = [held(compiled(entry, columns=("x", "y")), value) for value in values]
    wanted = [place for place, after in enumerate(one_by_one) if after.rejects]
    assert [reject.record for reject in together.rejects] == wanted
