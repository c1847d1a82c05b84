"""Placeholders in requests, addresses and headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.template import render

SCOPE = {"shop": "acme", "limit": 250, "timestamp": "2026-01-02T03:04:05Z", "none": None}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("https://{{shop}}.example.com", "https://acme.example.com"),
        ("{{limit}}", 250),
        ("{{none}}", None),
        ("a{{none}}b", "ab"),
        ("${{limit}}", "$250"),
        ("${env:TOKEN} {{ shop }} ${secret:other}", "${env:TOKEN} acme ${secret:other}"),
        ("no placeholder }}", "no placeholder }}"),
        ('{"a": {"b": {{limit}}}}', '{"a": {"b": 250}}'),
        ("{{ upper(shop) }}-{{ limit + 1 }}", "ACME-251"),
        ("{{ '{{' }}", "{{"),
        ("{{ $.shop }}", "acme"),
        ({"a": ["{{limit}}", ("{{shop}}",)], "b": 1.5}, {"a": [250, ["acme"]], "b": 1.5}),
        (7, 7),
        (None, None),
        ("", ""),
    ],
)
def test_placeholders_are_replaced_at_any_depth(value: Any, wanted: Any) -> None:
    assert render(value, SCOPE) == wanted


def test_an_unknown_name_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"Nothing is called city here.*limit, none, shop"):
        render({"path": "/{{city}}"}, SCOPE)


def test_a_misspelt_name_is_recognised() -> None:
    with pytest.raises(ConfigurationError, match="did you mean shop"):
        render("{{shopp}}", SCOPE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ shop", "never ends"),
        ("{{ 1 + }}", "ends too early"),
        ("{{ lowr(shop) }}", "did you mean lower"),
        ("{{ lower(limit) }}", "needs text, not a number"),
        ("{{ shop }}" + "x" * 100 + "{{ 1 + }}", "…"),
    ],
)
def test_a_wrong_placeholder_says_why(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        render(text, SCOPE)


def test_the_clock_is_the_one_given() -> None:
    context = MappingContext(datetime(2026, 1, 2, tzinfo=UTC))
    assert render("{{ now() }}", {}, context=context) == "2026-01-02T00:00:00Z"


def test_without_a_clock_it_is_now() -> None:
    assert render("{{ now() }}", {}) >= "2024"
