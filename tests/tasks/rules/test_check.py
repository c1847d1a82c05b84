"""Mistakes in rules, found before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.tasks.rules.check import check_rules
from astrio.tasks.rules.settings import RuleSettings

TARGETS = ("user.email", "user.age", "address")


def mistakes(
    *entries: dict[str, Any], targets: tuple[str, ...] | None = TARGETS
) -> list[tuple[int, str | None, str]]:
    found = check_rules([RuleSettings.model_validate(entry) for entry in entries], targets)
    return [(each.entry, each.key, each.message) for each in found]


@pytest.mark.parametrize(
    ("entry", "key", "message"),
    [
        ({"field": "user.emial", "required": True}, "field", "Did you mean user.email?"),
        ({"field": "zzz", "required": True}, "field", "There are: user.email, user.age, address."),
        ({"field": "address[*]", "required": True}, "field", "The field must name one value."),
        ({"field": "address[", "required": True}, "field", "The field is no path"),
        ({"field": "user.age"}, None, "asks for no rule"),
        ({"field": "user.age", "required": False, "message": "x"}, None, "asks for no rule"),
        ({"field": "user.age", "min": "18"}, "min", "min needs a number"),
        ({"field": "user.age", "max": True}, "max", "max needs a number"),
        ({"field": "user.age", "max": float("inf")}, "max", "max needs a number"),
        ({"field": "user.age", "pattern": "("}, "pattern", "no regular expression"),
        ({"field": "user.age", "pattern": "a" * 1_001}, "pattern", "longer than 1,000"),
        ({"field": "user.age", "validator": "mn:18"}, "validator", "Did you mean min?"),
        ({"field": "user.age", "validator": "min"}, "validator", "min:18"),
        ({"field": "user.age", "validator": "max:many"}, "validator", "max needs a number"),
        ({"field": "user.age", "validator": "pattern:"}, "validator", "pattern:^A"),
        ({"field": "user.age", "validator": "pattern:("}, "validator", "no regular expression"),
        ({"field": "user.age", "validator": "email:x"}, "validator", "takes no argument"),
        ({"field": "user.age", "validator": "phone:XX"}, "validator", "no region"),
        ({"field": "user.age", "type": "phone", "region": "de"}, "region", "such as DE"),
        ({"field": "user.age", "validator": "phone", "region": "de"}, "region", "such as DE"),
        ({"field": "user.age", "min": 1, "region": "DE"}, "region", "belongs to type: phone"),
        ({"field": "user.age", "min": 1, "format": "x"}, "format", "date, datetime or phone"),
    ],
)
def test_a_mistake_is_found_with_its_key(
    entry: dict[str, Any], key: str | None, message: str
) -> None:
    [(place, found, told)] = mistakes({"field": "user.email", "required": True}, entry)
    assert (place, found) == (1, key)
    assert message in told


def test_every_mistake_is_listed() -> None:
    found = mistakes({"field": "x"}, {"field": "user.age", "min": "x"})
    assert [(place, key) for place, key, _ in found] == [(0, "field"), (0, None), (1, "min")]


@pytest.mark.parametrize(
    "entry",
    [
        {"field": "user.age", "min": 1, "max": 2.5},
        {"field": "address.zip", "required": True},
        {"field": "user.email", "type": "phone", "region": "DE", "format": "international"},
    ],
)
def test_right_rules_have_no_mistakes(entry: dict[str, Any]) -> None:
    assert mistakes(entry) == []


def test_without_a_map_any_path_to_one_value_is_a_field() -> None:
    assert mistakes({"field": "anything.goes[0]", "required": True}, targets=None) == []
    [(_, key, _)] = mistakes({"field": "items[*].sku", "required": True}, targets=None)
    assert key == "field"
