"""The contract of every function of the mapping language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.mapping.catalogue import Function, function_names, functions
from astrio.tasks.mapping.compile import MappingContext, compile_expression

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
EXAMPLES = [example for each in functions().values() for example in each.examples]
REJECTS = [text for each in functions().values() for text in each.rejects]
ALL = pytest.mark.parametrize("function", functions().values(), ids=function_names())


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES)
def test_every_example_of_the_documentation_is_true(text: str, wanted: Any) -> None:
    found = compile_expression(text, CONTEXT)({})
    assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES)
def test_an_example_gives_the_same_where_its_value_comes_from_a_record(
    text: str, wanted: Any
) -> None:
    nested = f"if(yes, {text}, no)"
    assert compile_expression(nested, CONTEXT)({"yes": 1}) == wanted


@pytest.mark.parametrize("text", REJECTS)
def test_what_a_function_refuses_rejects_the_record_with_a_reason_of_its_own(text: str) -> None:
    name = text.partition("(")[0]
    with pytest.raises(RecordRejectedError, match=rf"^{name}\(\).*\(column 1\)$"):
        compile_expression(text, CONTEXT)({})


@ALL
def test_every_function_says_how_it_is_called_and_what_it_does(function: Function) -> None:
    assert function.usage.startswith(f"{function.name}(")
    assert function.usage.endswith(")")
    assert function.summary.endswith(".")
    assert function.examples


@ALL
def test_source_in_place_of_a_call_computes_what_the_call_computes(function: Function) -> None:
    values = [None, "", "Ab ", 0, 7, 2.5, True, [], ["a", None], {}, {"a": 1}]
    names = [f"a{place}" for place in range(max(function.least, 1))]
    if function.emit is None:
        return
    inline = compile_expression(f"{function.name}({', '.join(names)})", CONTEXT)
    for value in values:
        for other in values:
            given = [value, other, other][: len(names)]
            record = dict(zip(names, given, strict=True))
            assert _outcome(lambda r=record: inline(r)) == _outcome(
                lambda g=given: function.call(*g)
            )


def _outcome(compute: Any) -> Any:
    try:
        return repr(compute())
    except RecordRejectedError:
        return "rejected"


def test_the_first_cut_has_the_functions_that_were_promised() -> None:
    promised = """abs bool calculate_age case coalesce concat contains count date datetime decimal
    default first float if int join json last length lower now replace round split starts_with str
    substring trim upper"""
    assert set(promised.split()) <= set(function_names())


def test_a_call_with_many_arguments_is_still_compiled() -> None:
    record = {"x": "x", "n": None}
    many = ", ".join(["n"] * 900 + ["x"])
    assert compile_expression(f"concat({many})", CONTEXT)(record) == "x"
    assert compile_expression(f"coalesce({many})", CONTEXT)(record) == "x"
    cases = ", ".join(f"'{number}', {number}" for number in range(350))
    assert compile_expression(f"case(x, {cases}, 'none')", CONTEXT)(record) == "none"
    assert compile_expression(f"case(str(349), {cases})", CONTEXT)(record) == 349


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("replace(x, 'a', y)", "more than 10,000,000 characters"),
        ("join(z, y)", "more than 10,000,000 characters"),
        ("concat(y, 1, y, y, y, y, y, y, y, y, y, y)", "more than 10,000,000 characters"),
        ("str(n)", "digits"),
        ("int(d)", "digits"),
        ("str(o)", "cannot be written as JSON"),
    ],
)
def test_no_function_builds_what_is_too_large(text: str, reason: str) -> None:
    record = {
        "x": "a" * 1_000,
        "y": "b" * 1_000_000,
        "z": ["c"] * 100,
        "n": 10**5_000,
        "d": "9" * 5_000,
        "o": [object()],
    }
    with pytest.raises(RecordRejectedError, match=reason):
        compile_expression(text, CONTEXT)(record)


@pytest.mark.parametrize(
    ("text", "record", "wanted"),
    [
        ("int(x)", {"x": float("inf")}, "fraction"),
        ("float(x)", {"x": 10**400}, "too large"),
        ("decimal(x)", {"x": float("nan")}, "range"),
        ("round(x)", {"x": float("inf")}, "range"),
        ("lower(x)", {"x": object()}, "not object"),
        ("date(x)", {"x": datetime(2024, 1, 1, tzinfo=UTC)}, None),
        ("concat(date(x))", {"x": "2024-01-01"}, None),
        ("concat(decimal('1E+2'), 1)", {}, None),
        ("datetime(date(x))", {"x": "2024-01-01"}, None),
        ("datetime(datetime(x))", {"x": "2024-01-01"}, None),
        ("calculate_age(date(x))", {"x": "2000-01-01"}, None),
        ("contains(x, null)", {"x": "a"}, None),
    ],
)
def test_values_that_json_does_not_know_are_handled(
    text: str, record: dict[str, Any], wanted: str | None
) -> None:
    evaluate = compile_expression(text, CONTEXT)
    if wanted is None:
        assert evaluate(record) is not None
        return
    with pytest.raises(RecordRejectedError, match=wanted):
        evaluate(record)
