"""Valid requests, changed at random: never accepted unless they mean the same, never an exception.

Every scheme's test class is found by itself. `ASTRIO_MUTATIONS=1000000 pytest -m slow -s
tests/blocks/webhooks/test_mutations.py` makes a million of them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.contracts.signature import NOW, UNCHECKED, SignatureContract

from astrio.blocks.webhooks.schemes.base import Received
from astrio.blocks.webhooks.schemes.choice import scheme_names

MUTATIONS = int(os.environ.get("ASTRIO_MUTATIONS", "100000"))
EACH = 40
SIZE = 6
NASTY = (
    *(b"", b" ", b",", b"=", b".", b"v1,", b"v1=", b"t=", b"sha256=", b"Infinity", b"-1", b"0"),
    *(
        b"9" * 400,
        b"\xff",
        b"\x00",
        b"\r\n",
        b"v1a,",
        b"Bearer ",
        b"Basic ",
        b"%",
        b"&",
        b"\xc3\xa9",
    ),
)


def _kinds(base: type[Any]) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _cases() -> list[tuple[SignatureContract, Received]]:
    """Return every scheme's test case, with a valid request."""
    folder = Path(__file__).parent / "schemes"
    for file in sorted(folder.glob("test_*.py")):
        importlib.import_module(f"tests.blocks.webhooks.schemes.{file.stem}")
    found = [kind() for kind in _kinds(SignatureContract) if hasattr(kind, "scheme")]
    return [(case, case.received()) for case in found]


CASES = _cases()


def mutated(received: Received, program: bytes) -> Received:
    """Change one place of a request as six bytes tell: what, where, how, with what."""
    operation, target, high, low, value, more = program
    place = high * 256 + low
    headers = list(received.headers)
    index = target % (len(headers) + 1)
    if index == len(headers):
        return replace(received, body=changed(received.body, operation, place, value))
    name, text = headers[index]
    match operation % 16:
        case 12:
            del headers[index]
        case 13:
            headers.append((name, text if value % 2 else changed(text, more, place, value)))
        case 14:
            other = place % len(headers)
            headers[index], headers[other] = (name, headers[other][1]), (headers[other][0], text)
        case 15:
            headers[index] = (name, NASTY[value % len(NASTY)] + (text if more % 2 else b""))
        case _:
            headers[index] = (name, changed(text, operation, place, value))
    return replace(received, headers=headers)


def changed(text: bytes, operation: int, place: int, value: int) -> bytes:
    """Change one place of a text."""
    at = place % (len(text) + 1)
    head, rest = text[:at], text[at:]
    flipped = bytes([rest[0] ^ (1 << value % 8)]) if rest else b"0"
    ways = (
        head + flipped + rest[1:],
        head + bytes([value]) + rest[1:],
        head + bytes([value]) + rest,
        head + rest[1 + value % 4 :],
        head + rest[1:2] + rest[:1] + rest[2:],
        head + rest[: value % 16] + rest,
        head,
        head + rest.swapcase(),
        head + NASTY[value % len(NASTY)] + rest,
        rest + head,
    )
    return ways[operation % len(ways)]


def check(program: bytes) -> int:
    """Judge the requests that a program makes, each of one to three changes; return how many."""
    case, original = CASES[program[0] % len(CASES)]
    received, judged = original, 0
    for start in range(1, len(program), SIZE):
        step = program[start : start + SIZE]
        received = mutated(received, step)
        verdict = case.verdict(received)
        judged += 1
        if verdict.accepted:
            assert case.same(received, original), (type(case).__name__, received)
        if step[-1] % 3 == 0 or judged % 3 == 0:
            received = original
    return judged


def test_every_scheme_has_a_case() -> None:
    assert sorted({case.scheme.kind() for case, _ in CASES}) == scheme_names()
    assert all(case.verdict(received, now=NOW).accepted for case, received in CASES)


programs = st.binary(min_size=1 + SIZE * EACH, max_size=1 + SIZE * EACH)


@settings(max_examples=150, deadline=None, suppress_health_check=UNCHECKED)
@given(programs)
def test_no_changed_request_is_accepted_or_raises(program: bytes) -> None:
    check(program)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_great_many_changed_requests_are_not_accepted_and_raise_nothing() -> None:
    judged = 0

    @settings(
        max_examples=MUTATIONS // EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=UNCHECKED,
    )
    @given(programs)
    def run(program: bytes) -> None:
        nonlocal judged
        judged += check(program)

    run()
    print(f"{judged:,} changed requests judged")
    assert judged >= MUTATIONS * 0.95
