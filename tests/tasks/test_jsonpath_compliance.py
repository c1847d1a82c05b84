"""The public JSONPath compliance test suite (RFC 9535), and the table of docs/jsonpath.md.

`ASTRIO_WRITE_EXPECTED=1` writes the table anew.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.mapping.check import check_expression
from astrio.tasks.paths import PathSyntaxError, compile_path

CASES = json.loads(
    (Path(__file__).parent / "data" / "jsonpath_compliance.json").read_text("utf-8")
)["tests"]
VALID = [case for case in CASES if not case.get("invalid_selector")]
PAGE = Path(__file__).parents[2] / "docs" / "jsonpath.md"
MARK = "<!-- table: written by tests/tasks/test_jsonpath_compliance.py -->\n"


def judged(case: dict[str, Any]) -> str:
    """Return whether a selector is answered rightly, refused or answered wrongly."""
    try:
        path = compile_path(case["selector"])
    except PathSyntaxError:
        return "refused"
    try:
        found = path.values(case["document"])
    except ApiAnswerError:
        return "wrong"
    allowed = case.get("results", [case.get("result")])
    return "right" if any(_same(found, each) for each in allowed) else "wrong"


def _same(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_no_selector_is_answered_wrongly(case: dict[str, Any]) -> None:
    assert judged(case) in ("right", "refused")


@pytest.mark.parametrize(
    "case", [case for case in VALID if judged(case) == "refused"], ids=lambda case: case["name"]
)
def test_what_is_not_known_is_refused_when_an_expression_is_checked(case: dict[str, Any]) -> None:
    assert check_expression(case["selector"])


def test_the_table_tells_what_each_group_of_selectors_came_to() -> None:
    head, mark, table = PAGE.read_text("utf-8").partition(MARK)
    wanted = _table()
    if os.environ.get("ASTRIO_WRITE_EXPECTED"):
        PAGE.write_text(head + mark + wanted, "utf-8")
    else:
        assert mark
        assert table == wanted


def _table() -> str:
    found = {case["name"]: judged(case) for case in VALID}
    groups: dict[str, Counter[str]] = {}
    for name, outcome in found.items():
        groups.setdefault(_group(name), Counter())[outcome] += 1
    lines = ["", "| group | valid selectors | answered rightly | refused |", "|---|---|---|---|"]
    for group, counts in groups.items():
        lines.append(f"| {group} | {counts.total()} | {counts['right']} | {counts['refused']} |")
    total = Counter(found.values())
    lines.append(f"| **all** | {total.total()} | {total['right']} | {total['refused']} |")
    lines += ["", "Refused, one by one (blanks other than spaces are shown as `\\u….`):", ""]
    for case in VALID:
        if found[case["name"]] == "refused":
            shown = json.dumps(case["selector"], ensure_ascii=False)[1:-1].replace("|", "\\|")
            shown = shown.replace('\\"', '"').replace("\\\\", "\\")
            lines.append(f"- {case['name']}: ``{shown}``")
    return "\n".join([*lines, ""])


def _group(name: str) -> str:
    first, _, rest = name.partition(", ")
    return f"{first}: {rest.partition(', ')[0]}" if first in ("functions", "whitespace") else first
