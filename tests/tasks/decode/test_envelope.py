"""What is around the records is the same, whether it is decoded with them or apart."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.tasks.decode.envelope import Envelope

RECORDS = msgspec.json.Decoder(list[int])
NAMES = st.sampled_from(["next", "total", "", "é", "f0", "type", "rows "])
values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
levels = st.dictionaries(NAMES, values, max_size=4)
bodies = st.builds(
    lambda outer, inner, rows: {**outer, "data": {**inner, "rows": rows}},
    levels,
    levels,
    st.lists(st.integers(-9, 9)),
)


def apart(body: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    data = body["data"]
    return {**body, "data": {**data, "rows": []}}, data["rows"]


@given(st.lists(bodies, min_size=1, max_size=12))
def test_pages_of_any_keys_give_body_and_records(pages: list[dict[str, Any]]) -> None:
    envelope = Envelope(["data", "rows"], RECORDS)
    for page in pages:
        content = json.dumps(page).encode()
        assert envelope.decode(content) == apart(page)
        assert json.loads(bytes(envelope.text(content))) == page["data"]["rows"]


def test_a_key_that_leads_to_the_records_must_be_there() -> None:
    envelope = Envelope(["data", "rows"], RECORDS)
    for _ in range(2):
        envelope.decode(b'{"data": {"rows": [1]}}')
        with pytest.raises(KeyError):
            envelope.decode(b'{"data": {}}')


def test_records_of_another_shape_are_refused_again_and_again() -> None:
    envelope = Envelope(["rows"], RECORDS)
    for _ in range(2):
        assert envelope.decode(b'{"rows": [1], "next": 2}') == ({"rows": [], "next": 2}, [1])
        with pytest.raises(msgspec.ValidationError):
            envelope.decode(b'{"rows": ["x"], "next": 2}')


def test_the_last_of_two_equal_keys_counts_in_both_ways() -> None:
    envelope = Envelope(["rows"], RECORDS)
    for _ in range(2):
        content = b'{"rows": [1], "next": 1, "rows": [2], "next": 3}'
        assert envelope.decode(content) == ({"rows": [], "next": 3}, [2])
        assert bytes(envelope.text(content)) == b"[2]"


def test_a_page_that_is_its_list_of_records() -> None:
    assert Envelope([], RECORDS).decode(b"[1, 2]") == ([], [1, 2])
