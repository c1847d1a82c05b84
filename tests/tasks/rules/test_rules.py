"""What each rule accepts and refuses, seen through `compile_rules`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from astrio.tasks.batch import Batch, Page
from astrio.tasks.rules.compile import compile_rules
from astrio.tasks.rules.settings import RuleSettings


def judged(rule: dict[str, Any], value: Any) -> list[str]:
    """Return the reasons why a value breaks a rule."""
    rules = compile_rules([RuleSettings.model_validate({"field": "x", **rule})], ("x",))
    return [problem.reason for problem in rules.explain(("x",), (value,))]


def rewritten(rule: dict[str, Any], value: Any) -> Any:
    rules = compile_rules([RuleSettings.model_validate({"field": "x", **rule})], ("x",))
    batch = rules.validate(Batch(Page(1), ("x",), [(value,)], [{}]))
    return batch.rows[0][0]


@pytest.mark.parametrize("rule", [{"required": True}, {"validator": "required"}])
def test_required_refuses_null_and_the_empty_text(rule: dict[str, Any]) -> None:
    assert judged(rule, None) == judged(rule, "") == ["is required"]
    assert judged(rule, 0) == judged(rule, False) == judged(rule, " ") == judged(rule, []) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "email"},
        {"type": "phone", "format": "international"},
        {"min": 18},
        {"max": 3},
        {"pattern": "^A"},
    ],
)
def test_null_passes_every_rule_but_required(rule: dict[str, Any]) -> None:
    assert judged(rule, None) == []


def test_an_empty_value_that_is_required_is_told_once() -> None:
    assert judged({"required": True, "type": "email", "min": 3}, "") == ["is required"]


@pytest.mark.parametrize(
    "address", ["ada@example.com", "a.b+c@sub.example.org", "jörg@bücher.example", "o'h@x.ie"]
)
def test_e_mail_addresses_pass(address: str) -> None:
    assert judged({"type": "email"}, address) == []
    assert judged({"validator": "email"}, address) == []


@pytest.mark.parametrize(
    "address",
    [
        *("", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a..b@example.com"),
        *("ada@exa mple.com", "ada@-x.com", "a@b@c.com", "Ada <ada@example.com>", "a@x.test"),
        *("x" * 65 + "@example.com", "a@" + "x." * 130 + "com", "a@[127.0.0.1]", " a@example.com"),
    ],
)
def test_what_is_no_e_mail_address_is_refused_without_being_shown(address: str) -> None:
    assert judged({"type": "email"}, address) == ["is not a valid e-mail address"]


def valid(address: str) -> bool:
    """Whether email-validator, asked about the whole address, accepts it."""
    try:
        validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return False
    return True


local_parts = st.text("abcXYZ019._%+-!'\" é", max_size=12) | st.just("x" * 64) | st.just("y" * 65)
domains = st.text("abcXYZ019.-é_", max_size=12) | st.sampled_from(
    ["example.com", "xn--bcher-kva.example", "xn--a.com", "x.test", "1.2", "x" * 64 + ".de"]
)
ENDS = "com de x io museum arpa invalid local localhost onion test COM Test c0m xn--p1ai co"
atoms = st.text("abz019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=8)
labels = st.text("abz019-", min_size=1, max_size=8)
ordinary = st.builds(
    "{}@{}.{}".format,
    st.lists(atoms, min_size=1, max_size=3).map(".".join),
    st.lists(labels, min_size=1, max_size=3).map(".".join),
    st.sampled_from(ENDS.split()) | st.text("abz", min_size=1, max_size=6),
)


@settings(max_examples=1_000, deadline=None)
@given(ordinary | st.builds("{}@{}".format, local_parts, domains) | st.emails())
@example("a@" + "b." * 125 + "de")
@example("x" * 64 + "@" + "b." * 93 + "com")
@example("x" * 64 + "@" + "b." * 94 + "com")
@example("a@" + "b" * 59 + ".de")
@example("a@b.de\n")
@example("a@local.de")
@example("a@x.local")
@example("a@-x.de")
@example("a@x-.de")
@example("a@x--y.de")
@example("a@1.2.de")
def test_the_quick_look_at_an_address_agrees_with_email_validator(address: str) -> None:
    assert (judged({"type": "email"}, address) == []) is valid(address)


@pytest.mark.slow
@settings(max_examples=100_000, deadline=None)
@given(ordinary)
def test_the_quick_look_agrees_for_very_many_ordinary_addresses(address: str) -> None:
    assert (judged({"type": "email"}, address) == []) is valid(address)


@pytest.mark.parametrize(
    ("number", "settings_"),
    [
        ("+49 30 123456", {}),
        ("+1 (415) 555-2671", {}),
        ("030 123456", {"region": "DE"}),
        ("+1 415 555 2671", {"region": "DE"}),
    ],
)
def test_phone_numbers_pass(number: str, settings_: dict[str, str]) -> None:
    assert judged({"type": "phone", **settings_}, number) == []


@pytest.mark.parametrize(
    "number", ["", "12", "hello", "+49 1", "+999 123456", "+49 1111", "+1" + "2" * 70]
)
def test_what_is_no_phone_number_is_refused_without_being_shown(number: str) -> None:
    [reason] = judged({"type": "phone"}, number)
    assert reason.startswith("is not a valid phone number")


def test_a_national_number_needs_a_region() -> None:
    assert judged({"type": "phone"}, "030 123456") == [
        "is not a valid phone number: without a region it must begin with + and the country"
    ]


@pytest.mark.parametrize(
    ("number", "rule", "wanted"),
    [
        ("+49 (0)30 / 12 34 56", {"type": "phone", "format": "international"}, "+4930123456"),
        ("030 123456", {"validator": "phone:DE", "format": "international"}, "+4930123456"),
        ("+4930123456", {"type": "phone", "format": "international"}, "+4930123456"),
        ("+49 30 123456", {"type": "phone"}, "+49 30 123456"),
        (None, {"type": "phone", "format": "international"}, None),
    ],
)
def test_the_international_format_is_e164(number: str, rule: dict[str, Any], wanted: str) -> None:
    assert rewritten(rule, number) == wanted


def test_an_extension_is_refused_rather_than_lost() -> None:
    rule = {"type": "phone", "region": "DE"}
    assert judged(rule, "030 123456 ext. 7") == []
    [reason] = judged({**rule, "format": "international"}, "030 123456 ext. 7")
    assert "extension" in reason


@pytest.mark.parametrize(
    ("rule", "value", "reasons"),
    [
        ({"min": 18}, 18, []),
        ({"min": 18}, 17, ["is less than 18"]),
        ({"validator": "min:18"}, 17.9, ["is less than 18"]),
        ({"validator": "min:-1.5"}, Decimal("-1.6"), ["is less than -1.5"]),
        ({"min": 0}, float("nan"), ["is less than 0"]),
        ({"min": 3}, "abc", []),
        ({"min": 3}, "ab", ["is shorter than 3 characters"]),
        ({"max": 5}, 5, []),
        ({"max": 5}, 6, ["is greater than 5"]),
        ({"validator": "max:5"}, "abcdef", ["is longer than 5 characters"]),
        ({"min": 1, "max": 3}, 2, []),
        ({"min": 1}, True, ["is true or false; min needs a number or text"]),
        ({"min": 1}, [1], ["is a list; min needs a number or text"]),
        ({"max": 1}, {}, ["is an object; max needs a number or text"]),
        ({"max": 1}, date(2024, 1, 1), ["is a date; max needs a number or text"]),
    ],
)
def test_bounds_measure_numbers_and_the_length_of_texts(
    rule: dict[str, Any], value: Any, reasons: list[str]
) -> None:
    assert judged(rule, value) == reasons


@pytest.mark.parametrize(
    ("rule", "value", "reasons"),
    [
        ({"pattern": "^[A-Z]{2}$"}, "DE", []),
        ({"pattern": "^[A-Z]{2}$"}, "de", ["does not match the pattern"]),
        ({"validator": "pattern:a:b"}, "xa:bx", []),
        ({"validator": "pattern:^A"}, "BA", ["does not match the pattern"]),
        ({"pattern": "1"}, 1, ["is a number; pattern needs text"]),
    ],
)
def test_patterns_are_searched_in_texts(
    rule: dict[str, Any], value: Any, reasons: list[str]
) -> None:
    assert judged(rule, value) == reasons


@pytest.mark.parametrize("rule", [{"type": "email"}, {"type": "phone"}])
def test_numbers_are_no_addresses(rule: dict[str, Any]) -> None:
    [reason] = judged(rule, 4930123456)
    assert reason.startswith("is a number;")


def test_the_entrys_own_message_takes_the_reasons_place() -> None:
    rule = {"validator": "min:18", "message": "{field}: must be 18 or older"}
    assert judged(rule, 17) == ["x: must be 18 or older"]
