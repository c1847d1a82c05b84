"""`astrio schema` and `astrio functions`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.deployments.cli.cli import call, called

from astrio.flows.schema import integration_schema
from astrio.tasks.mapping.catalogue import function_names


def test_schema_prints_the_schema(folder: Path) -> None:
    assert json.loads(call("schema").stdout) == integration_schema()


def test_schema_of_triggers_takes_the_product_pages_retry_and_a_list_of_targets(
    folder: Path,
) -> None:
    schema = json.loads(call("schema", "--trigger").stdout)
    trigger = {
        "on": ["order.*"],
        "payload": {"id": "{{id}}"},
        "push": {
            "to": [
                {"webhook": "https://example.com/hooks"},
                {"webhook": {"url": "https://a.example"}},
            ]
        },
        "retry": {"maxRetries": 3, "retryDelay": 1000, "backoffMultiplier": 2},
    }
    jsonschema.validate(trigger, schema)
    for wrong in ({"on": []}, trigger | {"surprise": 1}, {"push": trigger["push"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    ("push", "valid"),
    [
        ({"to": {"webhook": "https://example.com"}}, True),
        ({"to": "warehouse", "table": "orders"}, True),
        ({"to": "warehouse"}, False),
        ({"to": {"url": "sqlite:///a.db"}}, False),
    ],
)
def test_schema_asks_for_a_table_but_of_a_webhook(push: dict[str, Any], valid: bool) -> None:
    file = {"name": "a", "source": {"api": {"base_url": "https://a.example"}}, "push": push}
    found = list(jsonschema.Draft202012Validator(integration_schema()).iter_errors(file))
    assert (not found) == valid


def test_schema_writes_a_file(folder: Path) -> None:
    result = call("schema", "--output", "integration.schema.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(Path("integration.schema.json").read_text()) == integration_schema()


def test_a_schema_file_that_cannot_be_written_exits_with_2(folder: Path) -> None:
    assert call("schema", "-o", "nowhere/schema.json").exit_code == 2


def test_functions_lists_every_function_with_an_example(folder: Path) -> None:
    shown = call("functions").stdout
    assert all(f"{name}(" in shown for name in function_names())
    assert "concat('a', null, 'b') -> \"ab\"" in shown


def test_functions_explains_one_in_detail(folder: Path) -> None:
    shown = call("functions", "calculate_age").stdout
    assert shown.startswith("calculate_age(birth_date)\n")
    assert "the record is rejected" in shown


def test_functions_as_json_names_usage_and_examples(folder: Path) -> None:
    [concat] = called("functions", "concat")["functions"]
    assert concat["usage"] == "concat(value, …)"
    assert {"expression": "concat('a', null, 'b')", "value": "ab"} in concat["examples"]


def test_an_unknown_function_exits_with_2_and_a_suggestion(folder: Path) -> None:
    result = call("functions", "lowr")
    assert result.exit_code == 2
    assert "Did you mean lower?" in result.stderr
