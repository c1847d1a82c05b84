from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.paths import MissingPathError, PathSyntaxError, compile_path

ORDER = {
    "id": 7,
    "customer": {"name": "Ada", "e-mail": "ada@example.com", "null": None},
    "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
    "@odata.nextLink": "next",
    "a.b": 1,
    "": "blank",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 7),
        ("$.id", 7),
        (" customer.name ", "Ada"),
        ("customer.e-mail", "ada@example.com"),
        ("items[0].sku", "a"),
        ("items[-1].sku", "b"),
        ("$['items'][1]['sku']", "b"),
        ('$["a.b"]', 1),
        ("@odata.nextLink", "next"),
        ("$['']", "blank"),
        ("$", ORDER),
        ("", ORDER),
        ("customer.null", None),
        ("items[*].sku", "a"),
        ("$.items[?(@.n > 1)].sku", "b"),
    ],
)
def test_first_returns_what_the_path_names(path: str, value: Any) -> None:
    assert compile_path(path).first(ORDER, default="absent") == value


@pytest.mark.parametrize(
    "path", ["nope", "id.nope", "items[2]", "items[-3]", "id[0]", "items.sku", "items[?(@.n > 9)]"]
)
def test_first_falls_back_to_the_default(path: str) -> None:
    assert compile_path(path).first(ORDER, default="absent") == "absent"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", [7]),
        ("nope", []),
        ("customer.null", [None]),
        ("items[*].sku", ["a", "b"]),
        ("items[*].nope", []),
        ("id[*]", []),
        ("items[0].*", ["a", 1]),
        ("*", list(ORDER.values())),
        ("$..sku", ["a", "b"]),
        ("items[0:1].sku", ["a"]),
    ],
)
def test_values_returns_every_match_in_document_order(path: str, values: list[Any]) -> None:
    assert compile_path(path).values(ORDER) == values


@pytest.mark.parametrize(
    ("path", "definite"),
    [("a.b[0]", True), ("$", True), ("a[*].b", False), ("a.*", False), ("$..a", False)],
)
def test_a_path_tells_whether_it_names_one_value_at_most(path: str, definite: bool) -> None:
    assert compile_path(path).definite is definite


@pytest.mark.parametrize("text", ["$type", "a:b", "x-y", "größe", "2nd"])
def test_names_may_hold_what_real_keys_hold(text: str) -> None:
    assert compile_path(text).first({text: 1}) == 1


def test_quoted_names_may_hold_escaped_quotes() -> None:
    assert compile_path(r"$['it\'s']").steps == ("it's",)


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4))
def test_any_key_can_be_reached_by_quoting_it(keys: list[str]) -> None:
    document: Any = 42
    for key in reversed(keys):
        document = {key: document}
    quoted = "".join("['" + key.replace("\\", r"\\").replace("'", r"\'") + "']" for key in keys)
    assert compile_path(quoted if quoted.strip() == quoted else "$" + quoted).first(document) == 42


@pytest.mark.parametrize(
    ("text", "offset"), [("a b", 2), ("orders[", 7), ("orders.", 7), ("a[?(@.b", 7), ("a]", 1)]
)
def test_a_wrong_path_says_where_it_goes_wrong(text: str, offset: int) -> None:
    with pytest.raises(PathSyntaxError, match=f"at character {offset + 1}") as caught:
        compile_path(text)
    assert caught.value.offset == offset


@given(st.text(max_size=12))
def test_any_text_is_a_path_or_a_syntax_error(text: str) -> None:
    with suppress(PathSyntaxError):
        compile_path(text)


@pytest.mark.parametrize("path", ["$.data.orders", "data.orders[*]", "$.data.orders[*]"])
def test_records_are_the_elements_of_the_list(path: str) -> None:
    assert compile_path(path).records({"data": {"orders": [1, 2]}}) == [1, 2]


@pytest.mark.parametrize("path", ["$", "", "$[*]"])
def test_the_root_may_be_the_list(path: str) -> None:
    assert compile_path(path).records([1, 2]) == [1, 2]


def test_an_empty_list_is_no_error() -> None:
    assert compile_path("$.orders[*]").records({"orders": []}) == []


def test_lists_inside_lists_are_joined() -> None:
    document = {"groups": [{"items": [1]}, {"items": []}, {"items": [2, 3]}]}
    assert compile_path("groups[*].items[*]").records(document) == [1, 2, 3]


def test_an_objects_values_are_records_only_when_asked_for() -> None:
    document = {"orders": {"a": 1, "b": 2}}
    assert compile_path("orders.*").records(document) == [1, 2]
    with pytest.raises(ApiAnswerError, match=r"orders is an object with the keys a, b"):
        compile_path("orders[*]").records(document)


@pytest.mark.parametrize(
    ("path", "records"),
    [
        ("$.orders[?(@.open == true)]", [{"open": True}]),
        ("$.orders[0:1]", [{"open": True}]),
        ("$..orders", [{"open": True}, {"open": False}]),
        ("$..orders[*]", [{"open": True}, {"open": False}]),
        ("$.orders[?(@.open == 'never')]", []),
    ],
)
def test_records_may_be_filtered_and_searched(path: str, records: list[Any]) -> None:
    document = {"orders": [{"open": True}, {"open": False}]}
    assert compile_path(path).records(document) == records


@pytest.mark.parametrize(
    ("path", "document", "message"),
    [
        ("$.orders[*]", {"data": 1, "meta": 2}, "no key 'orders' at $, which is an object with"),
        ("$.orders[*]", {}, "an empty object"),
        ("$.orders[*]", {"orders": None}, "leads to null at $.orders"),
        ("$.orders", [], "an empty list"),
        ("$.a[3].b", {"a": [1]}, "no element 3 at $.a, which is a list of 1"),
        ("$.groups[*].items", {"groups": [{"items": []}, {}]}, "no key 'items'"),
        ("$..orders", {"a": 1}, "leads nowhere"),
        ("$.orders[?(@.x)]", {"a": 1}, "no key 'orders'"),
        ("$", None, "leads to null at $"),
    ],
)
def test_a_missing_records_path_names_the_path_and_what_is_there(
    path: str, document: Any, message: str
) -> None:
    with pytest.raises(MissingPathError) as caught:
        compile_path(path).records(document)
    assert message in caught.value.message
    assert path in caught.value.message
    assert compile_path(path).records(document, allow_missing=True) == []


def test_a_misspelt_key_is_suggested() -> None:
    with pytest.raises(MissingPathError, match="Did you mean 'orders'"):
        compile_path("$.order").records({"orders": [], "total": 1})


@pytest.mark.parametrize(
    ("value", "said"),
    [("secret", "a text"), (3.5, "a number"), (True, "true or false"), ({}, "an empty object")],
)
def test_a_records_path_to_something_else_says_what_is_there(value: Any, said: str) -> None:
    with pytest.raises(ApiAnswerError) as caught:
        compile_path("$.data").records({"data": value}, allow_missing=True)
    assert f"$.data is {said}" in caught.value.message
    assert "secret" not in str(caught.value)


def test_an_object_at_the_root_names_the_keys_that_hold_lists() -> None:
    with pytest.raises(ApiAnswerError, match="A list is found under: rows"):
        compile_path("$").records({"rows": [1], "total": 1})


def test_many_keys_are_summed_up() -> None:
    with pytest.raises(ApiAnswerError, match=r"k9 and 20 more"):
        compile_path("$").records({f"k{n}": n for n in range(30)})


def test_a_search_that_cannot_be_applied_is_an_answer_error() -> None:
    with pytest.raises(ApiAnswerError, match="cannot be applied"):
        compile_path("$.a[/b]").values({"a": [{"b": 1}, {"b": "x"}]})


def test_plain_paths_do_not_load_jsonpath_ng() -> None:
    code = (
        "import sys; from astrio.tasks.paths import compile_path as c; c('a.b[0][*].c');"
        "sys.exit('jsonpath_ng' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == 0
