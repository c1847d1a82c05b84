from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract, signed

from astrio.blocks.auth.api_key import ApiKeyAuth
from astrio.blocks.errors import ConfigurationError


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


@pytest.mark.parametrize("places", [{}, {"header": "A", "query": "b"}, {"header": ""}])
def test_a_key_goes_to_exactly_one_place(places: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"exactly one of header|at least 1 character"):
        ApiKeyAuth(value="value", **places)
