"""unique: no two records of a run have the same value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.tasks.rules.judging import batch, compiled

from astrio.blocks.errors import RetryableError
from astrio.tasks.batch import Batch, Page
from astrio.tasks.rules.compile import CompiledRules
from astrio.tasks.rules.seen import Seen

COLUMNS = ("id", "email", "age")
EMAIL = {"field": "email", "unique": True}
REASON = "is the value of another record, too"


def rules(*entries: dict[str, Any], key: tuple[str, ...] = ("id",)) -> CompiledRules:
    return compiled(*entries, columns=COLUMNS, key=key)


def rejected(after: Batch) -> list[Any]:
    return [reject.record for reject in after.rejects]


def test_the_second_record_with_a_value_is_rejected() -> None:
    after = rules(EMAIL).validate(batch(COLUMNS, (1, "a", 1), (2, "b", 1), (3, "a", 1)))
    assert rejected(after) == [2]
    [problem] = after.rejects[0].problems
    assert (problem.field, problem.rule, problem.reason) == ("email", "unique", REASON)


def test_a_value_of_an_earlier_page_counts() -> None:
    checked = rules({"field": "email", "validator": "unique"})
    assert checked.validate(batch(COLUMNS, (1, "a", 1))).rejects == []
    assert rejected(checked.validate(batch(COLUMNS, (2, "a", 1)))) == [0]


def test_nulls_are_many() -> None:
    assert rules(EMAIL).validate(batch(COLUMNS, (1, None, 1), (2, None, 1))).rejects == []


def test_the_same_record_again_is_no_second_one() -> None:
    checked = rules(EMAIL)
    again = batch(COLUMNS, (1, "a", 1), (1, "a", 2))
    assert checked.validate(again).rejects == []


def test_on_the_key_itself_only_an_identical_record_is_the_same() -> None:
    checked = rules({"field": "id", "unique": True})
    after = checked.validate(batch(COLUMNS, (1, "a", 1), (1, "a", 1), (1, "a", 2)))
    assert rejected(after) == [2]


def test_without_a_key_only_an_identical_record_is_the_same() -> None:
    checked = rules(EMAIL, key=())
    after = checked.validate(batch(COLUMNS, (1, "a", 1), (1, "a", 1), (2, "a", 1)))
    assert rejected(after) == [2]


def test_a_rejected_record_takes_no_value_from_another() -> None:
    checked = rules(EMAIL, {"field": "age", "min": 18})
    after = checked.validate(batch(COLUMNS, (1, "a", 17), (2, "a", 18)))
    assert rejected(after) == [0]


def test_a_source_read_anew_is_compared_anew() -> None:
    checked = rules(EMAIL)
    checked.validate(batch(COLUMNS, (1, "a", 1)))
    after = checked.validate(batch(COLUMNS, (2, "a", 1), page=Page(1, restart=True)))
    assert after.rejects == []


def test_explaining_a_record_remembers_nothing() -> None:
    checked = rules(EMAIL)
    assert checked.explain(COLUMNS, (1, "a", 1)) == []
    assert checked.validate(batch(COLUMNS, (2, "a", 1))).rejects == []
    [problem] = checked.explain(COLUMNS, (1, "a", 1))
    assert problem.rule == "unique"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, Decimal("1.00"), True),
        (0, -0.0, True),
        (0.1, Decimal("0.10"), True),
        (10**30, 10**30 + 1, False),
        (Decimal("0." + "1" * 40), Decimal("0." + "1" * 39 + "2"), False),
        (1, True, False),
        (1, "1", False),
        ("a", "A", False),
        ([1, {"a": 2.0, "b": 1}], [1.0, {"b": 1, "a": 2}], True),
        ([1, 2], [2, 1], False),
        (float("nan"), float("nan"), True),
        ("\ud800", "\ud800", True),
        pytest.param(10**5000, 10**5000, True, id="a number of 5,001 digits"),
    ],
)
def test_values_are_compared_as_expressions_compare_them(one: Any, other: Any, same: bool) -> None:
    after = rules(EMAIL).validate(batch(COLUMNS, (1, one, 1), (2, other, 1)))
    assert bool(after.rejects) is same


def test_what_cannot_be_compared_is_rejected() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    after = rules(EMAIL).validate(batch(COLUMNS, (1, deep, 1), (2, "a", 1)))
    assert [each.problems[0].reason for each in after.rejects] == [
        "cannot be judged (RecursionError)"
    ]


def test_many_values_are_kept_on_disk() -> None:
    seen = Seen(most_in_memory=10)
    for number in range(25):
        digest = number.to_bytes(16, "big")
        assert seen.owner(digest) is None
        seen.add(digest, b"%08d" % number)
    assert [seen.owner(number.to_bytes(16, "big")) for number in (0, 10, 24)] == [
        *(b"00000000", b"00000010", b"00000024")
    ]
    assert seen.owner((25).to_bytes(16, "big")) is None
    seen.forget()
    assert seen.owner((0).to_bytes(16, "big")) is None


def test_a_disk_that_fails_ends_the_run_with_advice() -> None:
    seen = Seen(most_in_memory=0)
    seen.add(b"a", b"b")
    assert seen._disk is not None
    seen._disk.close()
    with pytest.raises(RetryableError, match="cannot be kept on disk"):
        seen.owner(b"a")
