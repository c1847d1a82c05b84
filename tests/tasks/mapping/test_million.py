"""Random expressions by the million: none crashes, hangs, reaches an attribute or breaks a bound.

Hypothesis chooses seeds, and each seed makes a thousand expressions and records by plain Python,
which is a hundred times quicker than to draw them one by one; the seed that fails is told.
`ASTRIO_EXPRESSIONS=1000000 pytest -m slow tests/tasks/mapping/test_million.py` runs a million.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random
from time import process_time
from types import CodeType
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.mapping import test_properties as plain
from tests.tasks.mapping.test_properties import CONTEXT, KEYS, Pair, Rejected, bounded_size

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.mapping.catalogue import function_names
from astrio.tasks.mapping.check import check_expression
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.generate import compile_node
from astrio.tasks.mapping.parser import parse_expression

EACH: Final = 1_000
SEEDS: Final = max(int(os.environ.get("ASTRIO_EXPRESSIONS", "100000")) // EACH, 1)
NAMES: Final = sorted(function_names())
SCALARS: Final = [None, True, False, 0, -1, 2.5, 10**30, "", "Ab", "12", "2024-02-29", "[1]", "é"]
PIECES: Final = [
    *NAMES,
    *KEYS,
    *"()[].,+-*/<>$@?:&|!=%{}'\"\\ \n\t0123456789_#`~^;",
    *("==", "!=", "<=", ">=", "??", "and", "or", "not", "true", "false", "null", "[*]", "->"),
    *("'x'", '"y"', "$.a", "$..b", "{{", "}}", "eval", "map(a, x -> x.b)", "{a: b}", "x -> x"),
    *("__import__", "__class__", "lambda", "import os", "\u2028", "\x00", "1e9"),
]


def value(dice: Random, depth: int = 3) -> Any:
    """Return a JSON value."""
    kind = dice.random()
    if depth == 0 or kind < 0.6:
        return dice.choice(SCALARS)
    if kind < 0.8:
        return [value(dice, depth - 1) for _ in range(dice.randrange(4))]
    return {dice.choice(KEYS): value(dice, depth - 1) for _ in range(dice.randrange(4))}


def record(dice: Random) -> dict[str, Any]:
    """Return a record."""
    return {key: value(dice) for key in KEYS if dice.random() < 0.7}


def pair(dice: Random, depth: int) -> Pair:
    """Return an expression with its plain meaning."""

    def inner() -> Pair:
        return pair(dice, depth - 1)

    if depth == 0:
        if dice.random() < 0.4:
            return plain.literal(dice.choice(["x", "é'\\", "", 0, 7, 10**20, True, None]))
        return plain.path([dice.choice("abc"), *dice.choices(KEYS, k=dice.randrange(3))])
    makers: list[Callable[[], Pair]] = [
        lambda: plain.binary(dice.choice(["==", "!=", "<", ">=", "+", "-", "*"]), inner(), inner()),
        lambda: plain.logical(dice.choice(["and", "or"]), inner(), inner()),
        lambda: plain.either(inner(), inner()),
        lambda: plain.chosen(inner(), inner(), inner()),
        lambda: plain.joined([inner() for _ in range(dice.randrange(1, 4))]),
        lambda: plain.lowered(inner()),
        lambda: plain.negated(inner()),
        lambda: plain.mapped(inner(), inner()),
        lambda: plain.fields(inner(), inner()),
        lambda: plain.tail(inner()),
    ]
    return dice.choice(makers)()


def call(dice: Random, depth: int) -> str:
    """Return a call of any functions, with any numbers of arguments."""
    if depth == 0:
        return pair(dice, 0).text
    arguments = [call(dice, depth - 1) for _ in range(dice.randrange(4))]
    if dice.random() < 0.2:
        arguments.append(f"x -> {call(dice, depth - 1)}")
    return f"{dice.choice(NAMES)}({', '.join(arguments)})"


def attributes(code: CodeType) -> Iterator[str]:
    """Yield every name that compiled code looks up as an attribute or a global."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from attributes(constant)


def reaches_only_its_own(text: str) -> bool:
    """Whether the compiled expression names nothing but what the generator gives it."""
    known = plain.ALLOWED_ATTRIBUTES | plain.RUNTIME_NAMES
    code = compile_node(parse_expression(text), CONTEXT).function.__code__
    return all(
        name in known or name.startswith("f_") or name[0] in "tc" for name in attributes(code)
    )


def judge(text: str, given_record: dict[str, Any]) -> Any:
    """Return the value of an expression that is none too large and took no time, or Rejected."""
    started = process_time()
    try:
        found = compile_expression(text, CONTEXT)(given_record)
    except RecordRejectedError:
        found = Rejected
    assert bounded_size(found) <= 10_000_000
    assert process_time() - started < 5
    assert reaches_only_its_own(text)
    return found


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@settings(max_examples=SEEDS, deadline=None, database=None)
@given(st.integers(0, 2**62))
def test_a_million_random_expressions_keep_within_their_bounds(seed: int) -> None:
    dice = Random(seed)
    for number in range(EACH):
        given_record = record(dice)
        if number % 3 == 0:
            made = pair(dice, dice.randrange(4))
            try:
                wanted = made.meaning(given_record)
            except Rejected:
                wanted = Rejected
            assert repr(judge(made.text, given_record)) == repr(wanted), made.text
            continue
        pieces = dice.choices(PIECES, k=dice.randrange(25))
        text = call(dice, dice.randrange(1, 4)) if number % 3 == 1 else "".join(pieces)
        if not check_expression(text):
            judge(text, given_record)
