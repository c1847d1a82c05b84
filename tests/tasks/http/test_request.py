from __future__ import annotations

import json
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.request import ApiRequest

REQUEST = ApiRequest(
    "POST",
    "/search",
    params={"a": 1},
    headers={"X": "1"},
    body={"page": {"offset": 5}, "filters": [{"id": 1}]},
)


@pytest.mark.parametrize(
    ("where", "name", "body"),
    [
        ("body", "page.offset", {"page": {"offset": 9}, "filters": [{"id": 1}]}),
        ("body", "$.page.limit", {"page": {"offset": 5, "limit": 9}, "filters": [{"id": 1}]}),
        ("body", "a.b", {**REQUEST.body, "a": {"b": 9}}),
        ("body", "filters[0].id", {"page": {"offset": 5}, "filters": [{"id": 9}]}),
        ("body", "filters[-1].id", {"page": {"offset": 5}, "filters": [{"id": 9}]}),
        ("body", "$", 9),
    ],
)
def test_a_value_is_placed_in_a_copy_of_the_body(where: Any, name: str, body: Any) -> None:
    before = json.dumps(REQUEST.to_json())
    changed = REQUEST.with_value(where, name, 9)
    assert changed.body == body
    assert changed.value_at(where, name) == 9
    assert json.dumps(REQUEST.to_json()) == before


def test_a_body_is_made_where_there_is_none() -> None:
    assert ApiRequest("POST", "/").with_value("body", "page.offset", 1).body == {
        "page": {"offset": 1}
    }


def test_values_are_placed_in_query_and_headers() -> None:
    changed = REQUEST.with_value("query", "a.b", 9).with_value("header", "X", 9)
    assert (changed.params, changed.headers) == ({"a": 1, "a.b": 9}, {"X": "9"})
    assert changed.value_at("query", "a.b") == 9
    assert changed.value_at("header", "X") == "9"
    assert changed.value_at("header", "Y") is None


def test_a_form_field_is_named_whole() -> None:
    form = ApiRequest("POST", "/", body={"a": 1}, body_kind="form")
    assert form.with_value("body", "b.c", 2).body == {"a": 1, "b.c": 2}
    assert form.with_value("body", "b.c", 2).value_at("body", "b.c") == 2


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        ("text", "text", "a"),
        ([1], "json", "a"),
        ({"a": 1}, "json", "a.b"),
        ({"a": [1]}, "json", "a[1]"),
        ({"a": [1]}, "json", "a[*].b"),
        ("<a/>", "xml", "a"),
        ("a.bin", "file", "a"),
    ],
)
def test_a_place_that_the_body_does_not_have_is_refused(body: Any, kind: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"(text|xml|file) body|has no place"):
        ApiRequest("POST", "/", body=body, body_kind=kind).with_value("body", name, 1)


def test_a_request_survives_being_stored() -> None:
    stored = json.loads(json.dumps(REQUEST.to_json()))
    assert ApiRequest.from_json(stored) == REQUEST


@pytest.mark.parametrize(
    ("request_", "repeatable"),
    [
        (ApiRequest("GET", "/"), True),
        (ApiRequest("PUT", "/"), True),
        (ApiRequest("DELETE", "/"), True),
        (ApiRequest("POST", "/"), False),
        (ApiRequest("PATCH", "/"), False),
        (ApiRequest("PATCH", "/", idempotent=True), True),
        (ApiRequest("POST", "/", key_header="Idempotency-Key"), True),
    ],
)
def test_a_request_tells_whether_sending_it_twice_does_harm(
    request_: ApiRequest, repeatable: bool
) -> None:
    assert request_.repeatable is repeatable


def test_references_are_found_anywhere() -> None:
    request = ApiRequest(
        "POST",
        "/${env:A}",
        params={"p": ["${env:B}"]},
        headers={"h": "Bearer ${env:C}"},
        body={"x": [{"y": "${secret:D}"}, 1]},
    )
    names = {("env", "A"), ("env", "B"), ("env", "C"), ("secret", "D")}
    assert request.references() == names
