"""Rules held against whole batches."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.batch import Batch, Page, Reject
from astrio.tasks.rules.compile import CompiledRules, compile_rules
from astrio.tasks.rules.settings import RuleSettings

COLUMNS = ("user.email", "user.phone", "user.age")
PRODUCT_PAGE = [
    {"field": "user.email", "type": "email", "required": True},
    {"field": "user.phone", "type": "phone", "format": "international"},
    {"field": "user.age", "validator": "min:18", "message": "User must be 18 or older"},
]


def rules(*entries: dict[str, Any], columns: tuple[str, ...] | None = COLUMNS) -> CompiledRules:
    settings = [RuleSettings.model_validate(entry) for entry in entries]
    return compile_rules(settings, columns, key=("user.email",))


def batch(*rows: tuple[Any, ...], columns: tuple[str, ...] = COLUMNS) -> Batch:
    return Batch(Page(1), columns, list(rows), [f"source {place}" for place in range(len(rows))])


def test_the_product_pages_rules_run_as_written() -> None:
    before = batch(
        ("ada@example.com", "+49 30 123456", 36),
        (None, None, 18),
        ("eve@example", "123", 17),
        ("kim@example.com", None, None),
    )
    after = rules(*PRODUCT_PAGE).validate(before)
    assert after.rows == [
        ("ada@example.com", "+4930123456", 36),
        ("kim@example.com", None, None),
    ]
    assert list(after.sources) == ["source 0", "source 3"]
    assert [(reject.record, reject.key) for reject in after.rejects] == [
        ("source 1", None),
        ("source 2", ("eve@example",)),
    ]
    assert [
        [(problem.field, problem.rule) for problem in reject.problems] for reject in after.rejects
    ] == [
        [("user.email", "required")],
        [("user.email", "email"), ("user.phone", "phone"), ("user.age", "min")],
    ]
    assert after.rejects[1].problems[2].reason == "User must be 18 or older"


def test_earlier_rejects_are_kept() -> None:
    before = batch((None, None, 1))
    earlier = Reject("earlier", [])
    before.rejects.append(earlier)
    after = rules(*PRODUCT_PAGE).validate(before)
    assert [reject.record for reject in after.rejects] == ["earlier", "source 0"]
    assert before.rejects == [earlier]


def test_a_batch_without_faults_passes_as_it_is() -> None:
    before = batch(("ada@example.com", None, 18))
    after = rules(PRODUCT_PAGE[2]).validate(before)
    assert (after.rows, after.sources) == (before.rows, before.sources)
    assert after.rejects == []


def test_no_rules_pass_everything() -> None:
    assert rules().validate(batch((1, 2, 3))).rows == [(1, 2, 3)]


def test_rewriting_leaves_the_incoming_batch_as_it_was() -> None:
    before = batch(("a@example.com", "+49 30 123456", 1))
    assert rules(PRODUCT_PAGE[1]).validate(before).rows[0][1] == "+4930123456"
    assert before.rows[0][1] == "+49 30 123456"


def test_later_rules_see_the_rewritten_value() -> None:
    german = {"field": "user.phone", "pattern": r"^\+4930123456$"}
    checked = rules(german | {"type": "phone", "format": "international"}, german)
    assert checked.validate(batch((None, "+49 (30) 123456", None))).rejects == []


def test_several_rules_of_one_field_all_tell() -> None:
    entry = {"field": "user.age", "min": 18, "in": [1], "pattern": "x"}
    problems = rules(entry).explain(COLUMNS, (None, None, 12))
    assert [problem.rule for problem in problems] == ["in", "min", "pattern"]


def test_explain_finds_nothing_in_a_good_row() -> None:
    assert rules(*PRODUCT_PAGE).explain(COLUMNS, ("ada@example.com", None, 18)) == []


def test_without_a_map_a_field_is_a_key_or_a_path_into_the_record() -> None:
    checked = rules(
        {"field": "id", "required": True},
        {"field": "user.phone", "type": "phone", "region": "DE", "format": "international"},
        {"field": "items[0].sku", "required": True},
        columns=None,
    )
    columns = ("id", "user", "items")
    source: dict[str, Any] = {"phone": "030 123456", "name": "Ada"}
    after = checked.validate(
        batch(
            (1, source, [{"sku": "A"}]),
            (2, {"phone": "x"}, []),
            (None, None, None),
            columns=columns,
        )
    )
    assert after.rows == [(1, {"phone": "+4930123456", "name": "Ada"}, [{"sku": "A"}])]
    assert source["phone"] == "030 123456"
    assert [[problem.field for problem in reject.problems] for reject in after.rejects] == [
        ["user.phone", "items[0].sku"],
        ["id", "items[0].sku"],
    ]


def test_a_field_that_no_record_of_the_batch_has_is_missing_in_all() -> None:
    checked = rules({"field": "note", "required": True}, columns=None)
    after = checked.validate(batch((1,), (2,), columns=("id",)))
    assert (after.rows, len(after.rejects)) == ([], 2)


def test_a_path_may_lead_into_a_targets_object() -> None:
    checked = rules({"field": "user.address.zip", "min": 5}, columns=("user.address",))
    row = ({"zip": "123"},)
    [problem] = checked.explain(("user.address",), row)
    assert problem.reason == "is shorter than 5 characters"


def test_wrong_rules_are_refused_with_all_their_mistakes() -> None:
    with pytest.raises(ConfigurationError) as raised:
        rules({"field": "user.emial", "required": True}, {"field": "user.age", "min": "x"})
    assert "user.emial: The map has no target" in raised.value.message
    assert "user.age: min needs a number" in raised.value.message
