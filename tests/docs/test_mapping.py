"""The language reference: each example is computed, each rule of the grammar stands on the page."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from astrio.tasks.batch import Page
from astrio.tasks.mapping import catalogue
from astrio.tasks.mapping.compile import MappingContext, compile_expression, compile_mapping

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "mapping.md").read_text("utf-8")
CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
RECORD: dict[str, Any] = json.loads(PAGE.partition("```json\n")[2].partition("```")[0])
EXAMPLES = [
    re.split(r" +-> (?=[^ ]*[\[{\"\dtfn-][^>]*$)", line)
    for block in re.findall(r"```mapping\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize(("text", "result"), EXAMPLES)
def test_each_example_is_true(text: str, result: str) -> None:
    found = compile_expression(text, CONTEXT)(RECORD)
    assert json.loads(json.dumps(found)) == json.loads(result)
    assert type(found) is type(json.loads(result))


def test_the_placeholders_are_filled_in() -> None:
    mapping = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])["map"]
    [row] = compile_mapping(mapping, CONTEXT).transform(Page(1, [RECORD])).rows
    assert row == ("Dear Ada !", RECORD["items"][0], {"name": "lovelace", "version": 2})


@pytest.mark.parametrize(
    "form",
    [
        *("or", "and", "not", "==", "!=", "<=", ">=", "<", ">", "??", "+", "-", "*", "/", "true"),
        *("false", "null", "[*]", "[1:]", "[:1]", "[-1]", "$.", "->", "{sku", "['e-mail']", '."e-'),
    ],
)
def test_each_form_of_the_grammar_has_an_example(form: str) -> None:
    assert any(form in text for text, _ in EXAMPLES)


def test_the_list_of_functions_is_that_of_the_language() -> None:
    page = DOCS / "functions.md"
    if os.environ.get("ASTRIO_WRITE_EXPECTED"):
        page.write_text(_functions(), "utf-8")
    assert page.read_text("utf-8") == _functions()


def _functions() -> str:
    lines = [
        "# Functions of the mapping language",
        "",
        "Written by tests/docs/test_mapping.py from the functions themselves; every example is a "
        "test. `astrio functions NAME` prints the same.",
    ]
    for function in catalogue.functions().values():
        lines += ["", f"## {function.name}", "", f"`{function.usage}`: {function.summary}"]
        lines += ["", function.details] if function.details else []
        lines += ["", "```text"]
        lines += [f"{text}  -> {_shown(value)}" for text, value in function.examples]
        lines += [f"{text}  -> the record is rejected" for text in function.rejects]
        lines += ["```"]
    return "\n".join([*lines, ""])


def _shown(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
