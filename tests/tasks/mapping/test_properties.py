"""Expressions made at random: never a surprise, never an attribute, always the plain meaning."""

from __future__ import annotations

import ast
import json
import operator
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.mapping.catalogue import function_names
from astrio.tasks.mapping.check import check_expression, check_mapping
from astrio.tasks.mapping.compile import MappingContext, compile_expression, compile_mapping
from astrio.tasks.mapping.generate import compile_nodes
from astrio.tasks.mapping.parser import parse_expression, parse_value
from astrio.tasks.mapping.syntax import ExpressionError

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
KEYS = ["a", "b", "c", "odd key", "__class__", "items"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=5)
    | st.sampled_from(["2024-02-29", "12", "Ab", "[1]"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
)
records = st.dictionaries(st.sampled_from(KEYS), values)

PIECES = st.sampled_from(
    [
        *function_names(),
        *KEYS,
        *"()[].,+-*/<>$@?:&|!=%{}'\"\\ \n\t0123456789_#`~^;",
        *("==", "!=", "<=", ">=", "??", "and", "or", "not", "true", "false", "null", "[*]"),
        *("'x'", '"y"', "$.a", "$..b", "$.items[?(@.a > 1)].b", "{{", "}}", "{{ a }}", "eval"),
        *("map(a, x -> x.b)", "{a: b}", "->", "x -> x", "[1:]", "[:-1]", "filter", "'('"),
        *("__import__", "__class__", "lambda", "import os", "\u2028", "é", "\x00", "1e9"),
    ]
)
deferred_pairs: st.SearchStrategy[Pair] = st.deferred(lambda: pairs)
ALLOWED_ATTRIBUTES = {"get", "__class__", "strip", "lower", "upper"}
RUNTIME_NAMES = {
    *("record", "record_of", "object_of", "child", "element", "elements", "equal", "less"),
    *("less_or_equal", "greater", "greater_or_equal", "add", "subtract", "multiply", "divide"),
    *("template", "str", "dict", "list", "counted", "spent", "sliced", "attribute"),
}


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=30), records)
def test_no_text_makes_the_checker_or_a_record_crash(text: str, record: dict[str, Any]) -> None:
    if check_expression(text):
        return
    with suppress(RecordRejectedError):
        compile_expression(text, CONTEXT)(record)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@settings(max_examples=int(os.environ.get("ASTRIO_EXPRESSIONS", "50000")), deadline=None)
@given(
    st.lists(PIECES, max_size=25).map("".join) | deferred_pairs.map(lambda pair: pair.text), records
)
def test_many_texts_and_expressions_keep_within_their_bounds(
    text: str, record: dict[str, Any]
) -> None:
    """`ASTRIO_EXPRESSIONS=1000000` runs a million of them."""
    if check_expression(text):
        return
    started = process_time()
    with suppress(RecordRejectedError):
        assert bounded_size(compile_expression(text, CONTEXT)(record)) <= 10_000_000
    assert process_time() - started < 5


def bounded_size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(bounded_size, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(bounded_size, value))
    return len(value) if isinstance(value, str) else 1


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=15).map("".join), records)
def test_no_text_makes_a_mapping_crash(text: str, record: dict[str, Any]) -> None:
    if not check_mapping({"x": text}):
        compile_mapping({"x": text}, CONTEXT).explain(record)


@dataclass(frozen=True)
class Pair:
    """An expression's text and its plain meaning."""

    text: str
    meaning: Callable[[Any], Any]


class Rejected(Exception):  # noqa: N818 (an outcome, no error of the test)
    """The plain interpreter refuses."""


def literal(value: Any) -> Pair:
    text = quoted(value) if isinstance(value, str) else json.dumps(value)
    return Pair(text, lambda _: value)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def path(names: list[str]) -> Pair:
    def meaning(record: Any) -> Any:
        for name in names:
            record = record.get(name) if isinstance(record, dict) else None
        return record

    first, *rest = names
    return Pair(first + "".join(f".{quoted(name)}" for name in rest), meaning)


def plainly_equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(plainly_equal(*pair) for pair in pairs)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            plainly_equal(left[key], right[key]) for key in left
        )
    return bool(left == right)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def computed(sign: str, left: Any, right: Any) -> Any:
    if sign in ("==", "!="):
        return plainly_equal(left, right) == (sign == "==")
    comparison = sign in ("<", ">=")
    if left is None or right is None:
        return False if comparison else None
    both_texts = isinstance(left, str) and isinstance(right, str)
    if not (is_number(left) and is_number(right)) and not (comparison and both_texts):
        raise Rejected
    if comparison:
        return left < right if sign == "<" else left >= right
    try:
        result = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](left, right)
    except OverflowError:
        raise Rejected from None
    if isinstance(result, float) and result - result != 0:
        raise Rejected
    return result


def binary(sign: str, left: Pair, right: Pair) -> Pair:
    return Pair(
        f"({left.text} {sign} {right.text})",
        lambda record: computed(sign, left.meaning(record), right.meaning(record)),
    )


def logical(word: str, left: Pair, right: Pair) -> Pair:
    def meaning(record: Any) -> bool:
        first = bool(left.meaning(record))
        return bool(right.meaning(record)) if first == (word == "and") else first

    return Pair(f"({left.text} {word} {right.text})", meaning)


def either(left: Pair, right: Pair) -> Pair:
    def meaning(record: Any) -> Any:
        first = left.meaning(record)
        return right.meaning(record) if first is None else first

    return Pair(f"({left.text} ?? {right.text})", meaning)


def chosen(condition: Pair, then: Pair, otherwise: Pair) -> Pair:
    return Pair(
        f"if({condition.text}, {then.text}, {otherwise.text})",
        lambda record: (then if condition.meaning(record) else otherwise).meaning(record),
    )


def joined(parts: list[Pair]) -> Pair:
    def meaning(record: Any) -> str:
        found = [part.meaning(record) for part in parts]
        if any(isinstance(each, list | dict) for each in found):
            raise Rejected
        return "".join(map(written_out, found))

    return Pair(f"concat({', '.join(part.text for part in parts)})", meaning)


def written_out(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else repr(value)


def lowered(part: Pair) -> Pair:
    def meaning(record: Any) -> Any:
        found = part.meaning(record)
        if found is not None and not isinstance(found, str):
            raise Rejected
        return found and found.lower()

    return Pair(f"lower({part.text})", meaning)


def mapped(part: Pair, body: Pair) -> Pair:
    """`map` over a list of two: the variable hides the record's `a`."""

    def meaning(record: Any) -> Any:
        first, second = part.meaning(record), record.get("b")
        known = record if isinstance(record, dict) else {}
        return [body.meaning({**known, "a": element}) for element in (first, second)]

    return Pair(f"map([{part.text}, b], a -> {body.text})", meaning)


def fields(left: Pair, right: Pair) -> Pair:
    return Pair(
        f"{{x: {left.text}, 'y z': {right.text}}}",
        lambda record: {"x": left.meaning(record), "y z": right.meaning(record)},
    )


def tail(part: Pair) -> Pair:
    def meaning(record: Any) -> Any:
        found = part.meaning(record)
        return found[1:] if isinstance(found, list) else None

    return Pair(f"coalesce({part.text})[1:]", meaning)


def negated(part: Pair) -> Pair:
    return Pair(f"(not {part.text})", lambda record: not part.meaning(record))


plain_text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=5)
leaves = st.one_of(
    (st.none() | st.booleans() | st.integers(0, 10**20) | plain_text).map(literal),
    st.tuples(st.sampled_from(["a", "b", "c"]), st.lists(st.sampled_from(KEYS), max_size=2)).map(
        lambda names: path([names[0], *names[1]])
    ),
)


def larger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    signs = st.sampled_from(["==", "!=", "<", ">=", "+", "-", "*"])
    return st.one_of(
        st.builds(binary, signs, inner, inner),
        st.builds(logical, st.sampled_from(["and", "or"]), inner, inner),
        st.builds(either, inner, inner),
        st.builds(chosen, inner, inner, inner),
        st.builds(joined, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lowered, inner),
        st.builds(negated, inner),
        st.builds(mapped, inner, inner),
        st.builds(fields, inner, inner),
        st.builds(tail, inner),
    )


pairs = st.recursive(leaves, larger, max_leaves=10)


@settings(max_examples=200, deadline=None)
@given(pairs, records)
def test_compiled_source_means_what_a_plain_interpreter_computes(
    pair: Pair, record: dict[str, Any]
) -> None:
    evaluate = compile_expression(pair.text, CONTEXT)
    try:
        wanted = pair.meaning(record)
    except Rejected:
        with pytest.raises(RecordRejectedError):
            evaluate(record)
        return
    assert repr(evaluate(record)) == repr(wanted)


@settings(max_examples=100, deadline=None)
@given(st.lists(pairs, min_size=1, max_size=5), records)
def test_shared_look_ups_change_no_value(expressions: list[Pair], record: dict[str, Any]) -> None:
    mapping = {f"t{place}": pair.text for place, pair in enumerate(expressions)}
    together = compile_mapping(mapping, CONTEXT)
    for pair, (_, value, problem) in zip(expressions, together.explain(record), strict=True):
        [(_, alone, why)] = compile_mapping({"t": pair.text}, CONTEXT).explain(record)
        assert (repr(alone), why) == (repr(value), problem)


@settings(max_examples=200, deadline=None)
@given(pairs.map(lambda pair: pair.text) | st.lists(PIECES, max_size=15).map("".join))
def test_generated_source_reaches_nothing_but_its_own_names(text: str) -> None:
    try:
        node = parse_value(text)
    except ExpressionError:
        return
    if check_mapping({"x": text}):
        return
    for part in ast.walk(ast.parse(compile_nodes([node], CONTEXT).source)):
        if isinstance(part, ast.Attribute):
            assert part.attr in ALLOWED_ATTRIBUTES
        if isinstance(part, ast.Name):
            assert part.id in RUNTIME_NAMES or part.id[0] in "tc" or part.id.startswith("f_")


@pytest.mark.parametrize(
    "wrapped",
    [
        *("lower({})", "concat({}, 'x')", "concat('x', {})", "int({})", "not {}", "- {}", "[{}]"),
        *("case(a, 1, {})", "case(a, {}, 1)", "case({}, 1, 2)", "case(a, 1, 2, {})", "({})"),
        *("if({}, 1, 2)", "if(a, {}, 2)", "coalesce(a, b, {})", "coalesce({}, b, a)", "abs({})"),
        *("a ?? ({})", "default({}, 1)", "default(a, {})", "1 + ({})", "a == ({})", "a < ({})"),
        *("a and ({})", "not ({}) or b", "first({}).x", "split({}, ',')[0]", "json({})[*].a[*].b"),
        *("map(a, x -> {})", "filter({}, x -> x.y)", "{ x: {} }", "map({}[0:1].b, x -> x)[1:]"),
    ],
)
def test_every_expression_within_the_depth_compiles(wrapped: str) -> None:
    text = "a"
    while not check_expression(wider := wrapped.replace("{}", text)) and len(wider) < 4_000:
        text = wider
    assert parse_expression(text).depth > 20
    with suppress(RecordRejectedError):
        compile_expression(text, CONTEXT)({"a": "1"})


def test_long_chains_of_operators_compile() -> None:
    for sign in ("and", "or", "??"):
        text = f" {sign} ".join(["a"] * 500)
        assert compile_expression(text, CONTEXT)({}) is (None if sign == "??" else False)
