"""The JSON Schema says yes to what astrio reads, and no to what it refuses."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from astrio.flows import templates
from astrio.flows.schema import integration_schema
from astrio.flows.templates import template_names

VALIDATOR = Draft202012Validator(integration_schema())


def valid(document: Any) -> bool:
    return bool(VALIDATOR.is_valid(document))


def shop(**changes: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "source": {"api": {"base_url": "https://shop.example.com"}},
        "push": {"to": {"url": "sqlite:///shop.db"}, "table": "orders"},
        **changes,
    }


def test_the_schema_is_a_2020_12_schema() -> None:
    schema = integration_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", template_names())
def test_every_template_fits_the_schema(name: str) -> None:
    text = files(templates).joinpath(f"{name}.yaml").read_text("utf-8")
    assert valid(yaml.safe_load(text))


def test_both_spellings_of_a_key_are_valid() -> None:
    assert valid(shop(max_rejected=5))
    assert valid(shop(maxRejected=5, source={"api": {"baseUrl": "https://shop.example.com"}}))


@pytest.mark.parametrize("contract", ["freeze", {"types": "freeze"}])
def test_a_word_may_stand_in_the_place_of_a_mapping(contract: Any) -> None:
    push = {"to": {"url": "sqlite:///shop.db"}, "table": "orders"}
    assert valid(shop(push=push | {"contract": contract}, schedule={"every": "15m"}))
    assert not valid(shop(push=push | {"contract": {"type": "freeze"}}))
    assert not valid(shop(push=push | {"contract": "frozen"}))


def test_a_required_key_is_required_in_one_spelling() -> None:
    assert not valid(shop(source={"api": {}}))


def test_camel_case_is_not_proposed() -> None:
    proposed = integration_schema()["properties"]["maxRejected"]
    assert proposed == {
        "$ref": "#/properties/max_rejected",
        "deprecated": True,
        "doNotSuggest": True,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"name": "Shop Orders"},
        {"retry": {"max_retries": -1}},
        {"push": {"to": {"url": "sqlite:///shop.db"}, "table": "orders", "mode": "merge"}},
        {"source": {"api": {"base_url": "x"}, "paginate": {"param": "cursor", "next": "next"}}},
    ],
)
def test_what_astrio_refuses_does_not_fit_the_schema(wrong: dict[str, Any]) -> None:
    assert not valid(shop(**wrong))


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "email", "type": "email", "required": True},
        {"field": "phone", "type": "phone", "format": "international"},
        {"field": "age", "validator": "min:18", "message": "User must be 18 or older"},
        {"expr": "end >= start", "when": "end != null", "severity": "warning"},
        {"field": "id", "in": [1, "a"], "unique": True, "length": "2..3", "sanitize": ["trim"]},
        {"field": "id", "exists_in": {"file": "a.csv", "column": "id"}, "length": 5},
        {"field": "id", "existsIn": ["a"]},
    ],
)
def test_rules_fit_the_schema(rule: dict[str, Any]) -> None:
    assert valid(shop(validate=[rule]))


@pytest.mark.parametrize(
    "rule",
    [
        {"required": True},
        {"field": "email", "type": "emial"},
        {"field": "email", "sanitize": ["trm"]},
        {"field": "email", "severity": "warn"},
        {"field": "email", "length": 2.5},
        {"field": "email", "uniqe": True},
        {"field": "email", "exists_in": {"column": "id"}},
    ],
)
def test_wrong_rules_do_not_fit_the_schema(rule: dict[str, Any]) -> None:
    assert not valid(shop(validate=[rule]))


def test_editors_propose_the_types_and_sanitisers_of_rules() -> None:
    rule = integration_schema()["$defs"]["RuleSettings"]["properties"]
    assert {"email", "uuid", "json"} <= set(rule["type"]["enum"])
    assert "strip_html" in rule["sanitize"]["items"]["enum"]


def test_keys_carry_descriptions_for_editors() -> None:
    push = integration_schema()["$defs"]["PushSettings"]["properties"]
    assert push["key"]["description"] == "Target fields that identify a row."


def test_references_to_python_are_valid_where_they_may_stand() -> None:
    assert valid(shop(source={"python": "crm:items"}, transform="crm:row", validate="crm:Item"))
    for wrong in ("crm", "crm:", "crm.row", "crm:row()"):
        assert not valid(shop(transform=wrong))
        assert not valid(shop(validate=wrong))
        assert not valid(shop(source={"python": wrong}))


@pytest.mark.parametrize(
    "to",
    [
        {"api": "crm"},
        {"api": {"base_url": "https://crm.example.com"}, "batch": 100},
        {"api": "crm", "request": {"path": "/{{id}}"}, "batch": {"size": 5, "maxBytes": 1000}},
        {"api": "crm", "returns": {"id": "$.id"}, "update": {"path": "/{{returned.id}}"}},
        {"url": "https://hooks.example.com", "body": {"text": "{{name}}"}},
        {"url": "https://discord.example.com", "content": "{{name}}"},
    ],
)
def test_places_that_take_requests_fit_the_schema(to: dict[str, Any]) -> None:
    assert valid(shop(push={"to": to}))
    assert not valid(shop(push={"to": to | {"colour": "red"}}))
