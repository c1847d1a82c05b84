"""A record that cannot be used spoils no other of its page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.apart import decode_page
from astrio.tasks.decode.base import BrokenRecord

HEADERS = {"content-type": "application/json"}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
records = st.dictionaries(st.text(), values)


@settings(max_examples=200, deadline=None)
@given(records, st.lists(records | values, max_size=4), st.lists(records, max_size=4), st.text())
def test_the_others_are_read_as_if_it_were_not_there(
    around: dict[str, Any], before: list[Any], after: list[Any], key: str
) -> None:
    inner: dict[str, Any] = {**around, key: [*before, {"hostile": "here"}, *after], "end": 1}
    body = json.dumps({"outer": inner, "z": "]}"}).replace('{"hostile": "here"}', '{"x": NaN}')
    found = decode_page(body.encode(), HEADERS, f"$.outer[{json.dumps(key)}]")
    assert found == {"outer": {**inner, key: [*before, {"x": "NaN"}, *after]}, "z": "]}"}
    assert isinstance(found["outer"][key][len(before)], BrokenRecord)


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b'{"rows": [1], "n": NaN}', "rows"),
        (b'{"rows": [NaN], "rows": [2]}', "rows"),
        (b'{"rows": [NaN, ', "rows"),
        (b'{"rows": [{"a": NaN} {]}', "rows"),
        (b'{"rows": {"a": [NaN]}}', "rows"),
        (b'{"other": [NaN]}', "rows"),
        (b"[NaN]", "rows"),
        (b'{"rows": [[NaN]]}', "rows[*][*]"),
        (b"NaN", "$"),
    ],
)
def test_a_page_fails_where_no_record_is_to_blame(content: bytes, records: str) -> None:
    with pytest.raises(ApiAnswerError):
        decode_page(content, HEADERS, records)


def test_a_record_that_is_no_object_is_told_by_its_place_and_text() -> None:
    found = decode_page(b"[1, NaN, [NaN]]", HEADERS, "$")
    assert found == [1, {"line": 2, "content": " NaN"}, {"line": 3, "content": " [NaN]"}]
    assert "NaN, which is no JSON number" in found[1].reason
