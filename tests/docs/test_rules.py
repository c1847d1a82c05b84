"""The page of the rules: each example is judged, each rule, type and sanitiser stands on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tasks.rules.judging import batch, compiled

from astrio.tasks.batch import Batch
from astrio.tasks.rules.base import kinds, type_names
from astrio.tasks.rules.compile import check_rules
from astrio.tasks.rules.sanitizing import sanitizers
from astrio.tasks.rules.settings import RuleSettings

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


def examples(kind: str) -> list[tuple[str, str, str]]:
    """Return (entry, JSON, outcome) of each line in the page's blocks of that kind."""
    found: list[tuple[str, str, str]] = []
    for block in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL):
        entry, *lines = block.splitlines()
        for line in lines:
            value, end = json.JSONDecoder().raw_decode(line)
            found.append((entry, json.dumps(value), line[end:].strip()))
    return found


def outcome(after: Batch, before: Any) -> str:
    if after.rejects:
        return "; ".join(problem.reason for problem in after.rejects[0].problems)
    return "passes" if after.rows[0] == before else f"becomes {json.dumps(after.rows[0][0])}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "customers.csv").write_text("id,name\n12,Ada\n", "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("entry", "value", "told"), examples("rule"))
def test_each_value_is_judged_as_the_page_says(entry: str, value: str, told: str) -> None:
    row = (json.loads(value),)
    after = compiled({"field": "x", **yaml.safe_load(entry)}).validate(batch(("x",), row))
    assert outcome(after, row) == told


@pytest.mark.parametrize(("entry", "record", "told"), examples("record"))
def test_each_record_is_judged_as_the_page_says(entry: str, record: str, told: str) -> None:
    values: dict[str, Any] = json.loads(record)
    columns, row = tuple(values), tuple(values.values())
    after = compiled(yaml.safe_load(entry), columns=columns).validate(batch(columns, row))
    assert outcome(after, row) == told


def test_the_first_example_has_no_mistakes() -> None:
    document = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
    rules = [RuleSettings.model_validate(entry) for entry in document["validate"]]
    assert check_rules(rules, list(document["map"])) == []


@pytest.mark.parametrize("name", sorted(set(kinds()) - set(type_names())))
def test_each_rule_has_a_heading(name: str) -> None:
    assert re.search(rf"^## .*\b{name}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", [*type_names(), *sanitizers()])
def test_each_type_and_sanitiser_stands_in_a_table(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE


@pytest.mark.parametrize(
    "name", [field.alias or name for name, field in RuleSettings.model_fields.items()]
)
def test_each_key_of_an_entry_stands_on_the_page(name: str) -> None:
    assert f"{name}:" in PAGE or f"`{name}`" in PAGE
