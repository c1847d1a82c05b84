from __future__ import annotations

import json
from typing import Any, ClassVar

import httpx
import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract, signed
from tests.support.reading import send
from tests.support.server import serve

from astrio.blocks.auth.api_key import ApiKeyAuth
from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.http.request import ApiRequest


class TestHeader(AuthContract):
    settings: ClassVar = {"type": "api_key", "header": "X-Api-Key", "value": REFERENCE}
    sent_headers: ClassVar = {"X-Api-Key": SECRET}


class TestQuery(AuthContract):
    settings: ClassVar = {"type": "api_key", "query": "api_key", "value": REFERENCE}
    sent_query: ClassVar = {"api_key": SECRET}

    def test_it_replaces_a_parameter_of_its_name(self) -> None:
        request = signed(ApiKeyAuth(query="key", value="new-value"), params={"key": "old", "a": 1})
        assert request.url.params.multi_items() == [("a", "1"), ("key", "new-value")]

    def test_it_tells_which_parameter_it_sets(self) -> None:
        assert ApiKeyAuth(query="key", value="v").query_names() == ("key",)
        assert ApiKeyAuth(header="key", value="v").query_names() == ()


class TestCookie(AuthContract):
    settings: ClassVar = {"type": "api_key", "cookie": "session", "value": REFERENCE}
    sent_headers: ClassVar = {"Cookie": f"session={SECRET}"}

    def test_other_cookies_stay(self) -> None:
        request = signed(ApiKeyAuth(cookie="key", value="value"), headers={"Cookie": "a=b"})
        assert request.headers["Cookie"] == "a=b; key=value"

    @pytest.mark.parametrize("value", ["a;b", "a b", "a,b", 'a"b', "a\\b"])
    def test_a_key_that_no_cookie_can_carry_is_refused(self, value: str) -> None:
        with pytest.raises(ConfigurationError, match="cookie"):
            ApiKeyAuth(cookie="key", value=value).to_httpx_auth()


class TestBody(AuthContract):
    settings: ClassVar = {"type": "api_key", "body": "auth.key", "value": REFERENCE}

    def signed(self, auth: Auth) -> httpx.Request:
        return signed(auth, "POST", json={"a": 1})

    def test_the_key_stands_in_the_json_body(self, canary: None) -> None:
        request = self.signed(self.by_reference())
        assert json.loads(request.content) == {"a": 1, "auth": {"key": SECRET}}
        assert request.headers["content-length"] == str(len(request.content))
        assert SECRET not in redact(request.content.decode())

    def test_it_replaces_a_field_and_keeps_the_spelling_of_the_others(self) -> None:
        body = b'{"n": 1e400, "key": "old", "big": 12345678901234567890123, "s": "\\u00e4"}'
        request = signed(
            ApiKeyAuth(body="key", value='q"uote'),
            "POST",
            content=body,
            headers={"content-type": "application/vnd.api+json; charset=utf-8"},
        )
        whole = b'{"n":1e400,"key":"q\\"uote","big":12345678901234567890123,"s":"\\u00e4"}'
        assert request.content == whole
        assert request.headers["content-type"] == "application/vnd.api+json; charset=utf-8"

    def test_a_form_keeps_its_other_fields(self) -> None:
        request = signed(
            ApiKeyAuth(body="api.key", value="a b&c"),
            "POST",
            content=b"x=1%2B1&api.key=old&x=2",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert request.content == b"x=1%2B1&x=2&api.key=a%20b%26c"
        assert request.headers["content-length"] == str(len(request.content))

    def test_a_post_without_a_body_gets_one(self) -> None:
        request = signed(ApiKeyAuth(body="key", value="value"), "POST")
        assert request.content == b'{"key":"value"}'
        assert request.headers["content-type"] == "application/json"

    @pytest.mark.parametrize(
        ("method", "kind", "content"),
        [
            ("GET", "", b""),
            ("POST", "text/plain", b"key=1"),
            ("POST", "", b"{}"),
            ("POST", "application/json", b"[1]"),
            ("POST", "application/json", b'{"key": "text"}'),
            ("POST", "application/json", b"{"),
        ],
    )
    def test_a_request_without_a_place_for_it_is_refused(
        self, method: str, kind: str, content: bytes
    ) -> None:
        headers = {"content-type": kind} if kind else {}
        auth = ApiKeyAuth(body="key.inner", value="canary-9912")
        with pytest.raises(ConfigurationError, match="cannot be put into") as caught:
            signed(auth, method, content=content, headers=headers)
        assert "canary-9912" not in str(caught.value)

    async def test_it_is_sent_over_a_real_connection(self) -> None:
        auth = {"type": "api_key", "body": "key", "value": "canary-9912"}
        with serve(lambda _: {}) as server:
            await send(server.url, ApiRequest("POST", "/ping", body={"a": 1}), auth=auth)
        assert server.requests[0].json() == {"a": 1, "key": "canary-9912"}


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b"])
def test_a_path_with_an_empty_step_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="match pattern"):
        ApiKeyAuth(body=path, value="value")


@pytest.mark.parametrize("places", [{}, {"header": "A", "query": "b"}, {"header": ""}])
def test_a_key_goes_to_exactly_one_place(places: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"exactly one of header|at least 1 character"):
        ApiKeyAuth(value="value", **places)
