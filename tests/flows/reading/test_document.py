"""How YAML becomes values and places: the YAML 1.2 core schema, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from astrio.flows.reading import document
from astrio.flows.reading.document import MAX_BYTES, parse, parse_bytes, read_document
from astrio.flows.reading.node import Node


def root(text: str) -> Node:
    found = parse(text).root
    assert found is not None
    return found


def value(scalar: str) -> Any:
    return root(f"key: {scalar}").plain()["key"]


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "N", "Yes", "tRUE"])
def test_only_true_and_false_are_booleans(word: str) -> None:
    assert value(word) == word


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("False", False), ("TRUE", True)])
def test_true_and_false_are_booleans(word: str, meant: bool) -> None:
    assert value(word) is meant


@pytest.mark.parametrize("date", ["2024-01-01", "2024-01-01T00:00:00Z", "12:30:45", "190:20:30"])
def test_dates_and_times_stay_text(date: str) -> None:
    assert value(date) == date


@pytest.mark.parametrize(
    ("written", "number"),
    [("5", 5), ("-5", -5), ("0o17", 15), ("0x1F", 31), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5)],
)
def test_numbers_are_read_by_the_core_schema(written: str, number: float) -> None:
    assert value(written) == number


@pytest.mark.parametrize("written", ["1_000", "0b11", "1,5", "+", "1.2.3", "0x", "e5", "."])
def test_what_yaml_1_2_calls_no_number_stays_text(written: str) -> None:
    assert value(written) == written


@pytest.mark.parametrize("written", ["null", "~", "", "Null"])
def test_null_is_null(written: str) -> None:
    assert value(written) is None


def test_quoted_scalars_are_always_text() -> None:
    assert root("{a: '5', b: \"true\", c: 'null', d: ''}").plain() == {
        "a": "5",
        "b": "true",
        "c": "null",
        "d": "",
    }


def test_keys_are_text_as_written() -> None:
    assert list(root("{on: 1, no: 2, 401: 3, true: 4, null: 5, '': 6}").plain()) == [
        "on",
        "no",
        "401",
        "true",
        "null",
        "",
    ]


def test_whole_numbers_of_any_size_stay_exact() -> None:
    assert value("123456789012345678901234567890") == 123456789012345678901234567890


def test_a_number_too_long_for_python_is_a_mistake() -> None:
    [mistake] = parse("key: " + "9" * 5000).mistakes
    assert "so many digits" in mistake.message


def test_leading_zeros_get_a_warning() -> None:
    [mistake] = parse("key: 00123").mistakes
    assert mistake.warning
    assert "123" in mistake.message


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        # DEL and C1 controls are legal in JSON texts, but not printable.
        | st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
        ),
        lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"\A[a-z]{1,5}\Z"), inner),
        max_leaves=10,
    ),
    st.booleans(),
)
def test_json_means_in_yaml_what_it_means_in_json(inner: Any, ascii_only: bool) -> None:
    text = json.dumps({"key": inner}, ensure_ascii=ascii_only)
    assert root(text).plain() == {"key": inner}


@given(st.text())
def test_no_text_makes_the_reader_stumble(text: str) -> None:
    parse(text.encode("utf-8", "replace").decode())


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_stumble(content: bytes) -> None:
    parse_bytes(content)


def test_a_byte_order_mark_is_skipped(tmp_path: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: shop\n")
    found = read_document(path).root
    assert found is not None
    assert found.plain() == {"name": "shop"}


def test_bytes_that_are_no_utf8_are_told_with_their_place(tmp_path: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"name: shop\ndescription: caf\xe9\n")
    [mistake] = read_document(path).mistakes
    assert str(mistake) == "2:17: this is not UTF-8 text"


def test_a_control_character_is_told_with_its_place(tmp_path: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"name: shop\ndescription: a\x1bb\n")
    [mistake] = read_document(path).mistakes
    assert str(mistake) == "2:15: a control character (U+001B) cannot stand in a file"


def test_a_file_too_large_is_not_read(tmp_path: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    [mistake] = read_document(path).mistakes
    assert "larger than 1 MiB" in mistake.message


def test_brackets_without_end_are_given_up_soon() -> None:
    [mistake] = parse("key: " + "[" * 500_000).mistakes
    assert mistake.message == "nested too deeply"


def test_the_reader_in_pure_python_tells_the_same_mistakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = ["a: 'x", "a: [1", "a: {b: 1", "a: b: c", "a: @b", "a:\n\tb: 1", "a: *b", "a: &b 1"]
    told = [parse(text).mistakes for text in wrong]
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert [parse(text).mistakes for text in wrong] == told


def test_columns_count_characters_not_bytes() -> None:
    node = root("{äöü: 'ß', b: c}").at("b")
    assert node is not None
    assert node.place == (1, 15)


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("key: abc(def)", 4, (1, 10)),
        ("key: 'abc(def)'", 4, (1, 11)),
        ("key: 'a''b(c)'", 4, (1, 12)),
        ('key: "abc(def)"', 4, (1, 11)),
        ('key: "a\\"b(c)"', 4, (1, 12)),
        ('key: "a\\u0062c(d)"', 4, (1, 6)),
        ("key: |\n  abc\n    def", 6, (3, 5)),
        ("key: |\n\n  abc\n", 2, (3, 4)),
        ("key: >\n  abc\n  def", 5, (1, 6)),
        ("key: abc\n  def", 5, (1, 6)),
        ("key: abc\n  def", 1, (1, 7)),
        ("key: abc", 3, (1, 9)),
    ],
)
def test_a_place_inside_a_text_is_exact_where_it_can_be(
    text: str, offset: int, place: tuple[int, int]
) -> None:
    node = root(text).at("key")
    assert node is not None
    assert node.place_of(offset) == place
