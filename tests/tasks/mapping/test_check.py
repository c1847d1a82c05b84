"""Mistakes found before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.tasks.mapping.compile import check_expression, check_mapping, check_template


@pytest.mark.parametrize(
    ("text", "offset", "message", "suggestion"),
    [
        ("lowr(name)", 0, "There is no function lowr().", "did you mean lower?"),
        ("1 + lowr(name)", 4, "There is no function lowr().", "did you mean lower?"),
        ("zzz(name)", 0, "There is no function zzz().", None),
        ("lower()", 0, "lower() takes 1 argument, not 0.", "Its form is lower(text)."),
        ("substring(a)", 0, "substring() takes 2 to 3 arguments, not 1.", None),
        ("coalesce()", 0, "coalesce() takes at least 1 argument, not 0.", None),
        ("now(1)", 0, "now() takes 0 arguments, not 1.", None),
        ("", 0, "The expression is empty.", None),
        ("   ", 0, "The expression is empty.", None),
        ("1 +", 3, "The expression ends too early.", None),
        ("a = b", 2, "Unexpected '='.", "Compare with ==."),
        ("a && b", 2, "Unexpected '&'.", "Write `and`."),
        ("!a", 0, "Unexpected '!'.", "Write `not`, or != to compare."),
        ("a ? b : c", 2, "Unexpected '?'.", None),
        ("first name", 6, "Unexpected 'name'.", None),
        ("a b.c", 2, "Unexpected 'b'.", None),
        ("1 < 2 < 3", 6, "Unexpected '<'.", None),
        ("a..b", 2, "Unexpected '.'.", None),
        ("f(a,,b)", 4, "Unexpected ','.", None),
        ("'abc", 0, "The text's closing quote is missing.", None),
        ('concat("abc)', 7, "The text's closing quote is missing.", None),
        ("\u201cabc\u201d", 0, None, "Quote texts with ' or \"."),
        (r"'\d'", 1, "Unknown escape.", r"Write \\ for a backslash."),
        (r"'\ud800'", 0, "Half of a surrogate pair is no character.", None),
        ("1e999", 0, "The number is too large.", None),
        ("a + 1 + $.b[1:2:3:4]", 17, "The JSONPath is wrong: unexpected character.", None),
        ("{{ a", 1, None, "A placeholder is written {{ expression }}."),
        ("a" * 4_001, 0, "The expression is longer than 4,000 characters.", None),
        ("__import__('os')", 0, "There is no function __import__().", None),
    ],
)
def test_a_mistake_is_found_with_its_place_and_a_suggestion(
    text: str, offset: int, message: str | None, suggestion: str | None
) -> None:
    [problem] = check_expression(text)
    assert problem.offset == offset
    assert message is None or problem.message == message
    assert suggestion is None or problem.suggestion == suggestion


@pytest.mark.parametrize(
    "text",
    [
        "(" * 65 + "1" + ")" * 65,
        "[" * 65 + "]" * 65,
        "lower(" * 65 + "x" + ")" * 65,
        "not " * 65 + "x",
        "- " * 65 + "x",
        "x" + ".x" * 65,
        "1" + " + x" * 65,
    ],
)
def test_nesting_is_limited_to_64(text: str) -> None:
    [problem] = check_expression(text)
    assert "nested" in problem.message


def test_every_mistake_of_an_expression_is_listed() -> None:
    assert [problem.offset for problem in check_expression("lowr(a) + uper(b) + trim()")] == [
        0,
        10,
        20,
    ]


@pytest.mark.parametrize("text", ["a", "$.a[?(@.b == ')')].c", "concat('a', \"b\")", " a\n+ b "])
def test_a_right_expression_has_no_mistakes(text: str) -> None:
    assert check_expression(text) == []


def test_a_mapping_is_checked_target_by_target() -> None:
    problems = check_mapping({"fine": "a", "wrong": "lowr(a)", "worse": "1 +", "constant": 1})
    assert [(each.target, each.offset) for each in problems] == [("wrong", 0), ("worse", 3)]
    assert str(problems[0]) == (
        "wrong: There is no function lowr(). (column 1) did you mean lower?"
    )


@pytest.mark.parametrize("pair", [("a.b", "a_b"), ("id", "ID"), ("a.b.c", "A_b.c")])
def test_two_targets_for_one_column_are_a_mistake(pair: tuple[str, str]) -> None:
    [problem] = check_mapping(dict.fromkeys(pair, "x"))
    assert (problem.target, problem.offset) == (pair[1], None)
    assert pair[0] in problem.message


@pytest.mark.parametrize("target", ["", " ", "a..b", ".a", "a.", "_astrio_run", "_Astrio_x"])
def test_targets_that_cannot_be_columns_are_mistakes(target: str) -> None:
    [problem] = check_mapping({target: "x"})
    assert (problem.target, problem.offset) == (target, None)


def test_an_empty_map_is_a_mistake() -> None:
    [problem] = check_mapping({})
    assert problem.target is None
    assert str(problem) == "The map has no targets."


@pytest.mark.parametrize(
    ("value", "offset"),
    [
        ("Hi {{ lowr(name) }}", 6),
        ("Hi {{ name }} and {{ 1 + }}", 24),
        ("{{ name }} {{ never ends", 11),
        ({"list": ["{{ lowr(name) }}"]}, 3),
        ("{{ a }}" + "b" * 4_000, 0),
    ],
)
def test_mistakes_in_templates_are_found_in_their_place(value: Any, offset: int) -> None:
    [problem] = check_mapping({"x": value})
    assert (problem.target, problem.offset) == ("x", offset)


def test_templates_of_a_request_are_checked_at_any_depth() -> None:
    request = {"path": "/{{shop}}", "params": {"ids": [1, "{{ lowr(x) }}", "{{ x"]}, "n": None}
    problems = check_template(request)
    assert [(each.target, each.offset) for each in problems] == [
        ("params.ids[1]", 3),
        ("params.ids[2]", 0),
    ]


def test_names_that_nothing_bears_are_mistakes_of_a_template() -> None:
    problems = check_template(["{{ shp }}", "{{ x.shop }}", "{{ $.shop }}", "{{ $..a }}"], {"shop"})
    assert [(each.target, each.suggestion) for each in problems] == [
        ("[0]", "did you mean shop?"),
        ("[1]", "Known names: shop."),
        ("[3]", "Known names: shop."),
    ]


def test_a_lone_template_has_no_place_but_its_offset() -> None:
    [problem] = check_template("{{ 1 + }}")
    assert (problem.target, problem.offset) == (None, 6)
