from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.first import build_first_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.settings import RequestSettings


def first(
    request: dict[str, Any],
    variables: dict[str, Any] | None = None,
    window: Window | None = None,
    **incremental: Any,
) -> ApiRequest:
    settings = {"cursor": "updated_at", "param": "since", **incremental}
    return build_first_request(
        RequestSettings.model_validate(request),
        variables or {},
        window or Window(),
        IncrementalSettings.model_validate(settings) if window else None,
    )


def test_placeholders_are_filled_in_everywhere() -> None:
    request = first(
        {
            "method": "POST",
            "path": "/shops/{{shop}}/orders",
            "params": {"limit": "{{size}}", "tags": ["{{shop}}-x"]},
            "headers": {"X-Size": "{{size}}"},
            "body": {"shop": "{{shop}}", "size": "{{size}}"},
            "idempotent": True,
        },
        {"shop": "acme", "size": 50},
    )
    assert request == ApiRequest(
        "POST",
        "/shops/acme/orders",
        params={"limit": 50, "tags": ["acme-x"]},
        headers={"X-Size": "50"},
        body={"shop": "acme", "size": 50},
        idempotent=True,
    )


def test_a_value_in_a_path_stays_one_segment() -> None:
    request = first({"path": "/files/{{name}}?x={{name}}"}, {"name": "a/../b?c=d&e#f g%"})
    assert request.url == "/files/a%2F..%2Fb%3Fc%3Dd%26e%23f%20g%25?x=" + (
        "a%2F..%2Fb%3Fc%3Dd%26e%23f%20g%25"
    )


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_in_a_path_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        first({"path": "/shops/{{shop}}/orders"}, {"shop": value})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shopp"):
        first({"path": "/{{shopp}}"}, {"shop": "a"})


def test_references_stay_unresolved() -> None:
    request = first({"path": "/${env:A}", "params": {"k": "${env:B}"}})
    assert (request.url, request.params) == ("/${env:A}", {"k": "${env:B}"})


@pytest.mark.parametrize(
    ("settings", "kind", "body"),
    [
        ({"form": {"a": "{{v}}"}}, "form", {"a": 1}),
        ({"text": "v={{v}}"}, "text", "v=1"),
        ({"body": [1, "{{v}}"]}, "json", [1, 1]),
        ({}, "json", None),
    ],
)
def test_a_body_has_a_kind(settings: dict[str, Any], kind: str, body: Any) -> None:
    request = first({"method": "POST", **settings}, {"v": 1})
    assert (request.body_kind, request.body) == (kind, body)


START, END = "2024-05-01T10:00:00Z", "2024-05-02T10:00:00Z"


@pytest.mark.parametrize(
    ("window", "incremental", "params"),
    [
        (Window(None, END), {}, {"a": 1}),
        (Window(START, END), {}, {"a": 1, "since": START}),
        (Window(START, END), {"end_param": "until"}, {"a": 1, "since": START, "until": END}),
        (Window(None, END), {"end_param": "until"}, {"a": 1, "until": END}),
        (Window(START, END), {"format": "date"}, {"a": 1, "since": "2024-05-01"}),
    ],
)
def test_the_windows_bounds_become_parameters(
    window: Window, incremental: dict[str, Any], params: dict[str, Any]
) -> None:
    assert first({"params": {"a": 1}}, None, window, **incremental).params == params


def test_bounds_may_go_into_a_body_or_a_header() -> None:
    request = {"method": "POST", "body": {"flow_runs": {"a": 1}}}
    window = Window(START, END)
    in_body = first(request, None, window, param="flow_runs.after", **{"in": "body"})
    assert in_body.body == {"flow_runs": {"a": 1, "after": START}}
    in_header = first(request, None, window, param="If-Modified-Since", **{"in": "header"})
    assert in_header.headers == {"If-Modified-Since": START}


EVIL = "${env:API_KEY}"


@pytest.mark.parametrize(
    "request_",
    [
        {"params": {"q": "{{parent.name}}"}},
        {"headers": {"X-Name": "a {{parent.name}}", "X-Key": EVIL}},
        {"method": "POST", "body": {"name": ["{{parent.name}}"]}},
        {"method": "POST", "text": "{{concat(parent.dollar, '{env:API_KEY}')}}"},
    ],
)
def test_no_text_of_a_record_is_taken_for_a_reference(request_: dict[str, Any]) -> None:
    parent = {"name": EVIL, "dollar": "$"}
    with pytest.raises(ConfigurationError, match="would be taken for a reference"):
        first(request_, {"parent": parent})


def test_references_of_the_file_and_its_vars_stay() -> None:
    request = {
        "path": "/{{parent.name}}",
        "params": {"a": "{{key}}", "b": EVIL, "c": "{{parent.id}}"},
    }
    made = first(request, {"parent": {"name": EVIL, "id": 7}, "key": EVIL})
    assert made.url == "/%24%7Benv%3AAPI_KEY%7D"
    assert made.params == {"a": EVIL, "b": EVIL, "c": 7}


def test_no_value_becomes_a_part_that_names_a_file() -> None:
    request = {"method": "POST", "multipart": {"photo": "{{photo}}", "tags": "{{tags}}"}}
    assert first(request, {"photo": "a", "tags": ["b", "c"]}).body == {
        "photo": "a",
        "tags": ["b", "c"],
    }
    with pytest.raises(ConfigurationError, match="is an object"):
        first(request, {"photo": {"file": "/etc/passwd"}, "tags": []})
    with pytest.raises(ConfigurationError, match="is an object"):
        first(request, {"photo": "a", "tags": [{"file": "/etc/passwd"}]})
