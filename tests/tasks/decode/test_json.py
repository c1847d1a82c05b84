from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.json import decode_json


def decode(content: bytes, kind: str = "application/json") -> Any:
    return decode_json(content, {"content-type": kind})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=10,
)  # fmt: skip


@given(VALUES)
def test_every_json_value_is_decoded(value: Any) -> None:
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("content", "kind", "value"),
    [
        (b"123456789012345678901234567890", "", 123456789012345678901234567890),
        (b"\xef\xbb\xbf[1]", "", [1]),
        ('["grüß"]'.encode("latin-1"), "application/json; charset=ISO-8859-1", ["grüß"]),
        ('["grüß"]'.encode("utf-16"), "application/json", ["grüß"]),
        ('["grüß"]'.encode("utf-16-le"), 'application/json; charset="utf-16-le"', ["grüß"]),
        (b"[1e400]", "", [Decimal("1e400")]),
        (b"[" + b"9" * 5000 + b"]", "", [Decimal("9" * 5000)]),
        (b'"\\ud800"', "", "\ud800"),
        (b"  [1]\n", "", [1]),
    ],
)
def test_what_is_legal_is_decoded_exactly(content: bytes, kind: str, value: Any) -> None:
    assert decode(content, kind) == value


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "application/json", "body is empty (Content-Type: application/json)"),
        (b" \n", "", "body is empty."),
        (b"<!DOCTYPE html><p>Log in", "text/html; charset=utf-8", "is HTML or XML, not JSON"),
        (b"<?xml version='1.0'?>", "", "is HTML or XML, not JSON"),
        (b"Log in please", "text/html", "is HTML or XML, not JSON"),
        (b'{"a": [1, 2', "", "breaks off after 11 bytes"),
        (b'{"a": "x', "", "breaks off"),
        (b"[NaN]", "", "holds NaN"),
        (b"[-Infinity]", "", "holds -Infinity"),
        (b"[" * 100_000, "", "nested too deeply"),
        (b'{"a":' * 100_000 + b"1", "", "nested too deeply"),
        (b'["\xff"]', "", "not in the charset it claims"),
        (b"[\xe9]", "application/json; charset=klingon", "not in the charset it claims"),
        (b"{'a': 1}", "", "is no JSON (line 1, column 2)"),
        (b"[1,\n 2,,3]", "", "is no JSON (line 2"),
        (b'{"a": 1} trailing', "", "is no JSON"),
    ],
)
def test_what_is_no_json_is_told_in_plain_words(content: bytes, kind: str, message: str) -> None:
    with pytest.raises(ApiAnswerError) as caught:
        decode(content, kind)
    assert message in caught.value.message
    assert caught.value.advice


@given(st.binary(max_size=40), st.sampled_from(["", "text/html", "x; charset=utf-16", "x"]))
def test_any_bytes_are_a_value_or_an_answer_error(content: bytes, kind: str) -> None:
    try:
        decode(content, kind)
    except ApiAnswerError as error:
        message = error.message
    else:
        message = ""
    assert "Traceback" not in message


@given(VALUES, st.integers(1, 20))
def test_a_body_that_was_cut_off_is_never_taken_for_whole(value: Any, cut: int) -> None:
    whole = json.dumps({"records": [value], "end": True}).encode()
    with pytest.raises(ApiAnswerError):
        decode(whole[: -min(cut, len(whole) - 1)])
