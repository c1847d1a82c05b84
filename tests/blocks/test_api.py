from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.api import RestApi, Timeouts
from astrio.blocks.auth.none import NoAuth


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "http://localhost:8080/api/v1/",
        "http://10.0.0.7",
        "https://[::1]:8443/x",
        "https://{{shop}}.example.com",
        "${env:BASE_URL}",
    ],
)
def test_a_base_url_is_scheme_host_and_path(url: str) -> None:
    assert RestApi(base_url=url).base_url == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("api.example.com", "begins with https"),
        ("ftp://api.example.com", "begins with https"),
        ("https:///orders", "begins with https"),
        ("https://ada:hunter22@api.example.com", "no user and password"),
        ("https://api.example.com?key=1", "no . and #"),
        ("https://api.example.com/#top", "no . and #"),
        ("https://api.example.com?", "no . and #"),
        ("https://api.example.com:99999", "Port out of range"),
        ("https://api.example.com:0", "cannot be read"),
        ("https://api example.com", "cannot be read"),
        ("https://api.example.com/a b", "cannot be read"),
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RestApi(base_url=url)
    assert "hunter22" not in str(caught.value)


def test_no_authentication_is_the_default() -> None:
    assert RestApi(base_url="https://a").auth == NoAuth()


@pytest.mark.parametrize("seconds", [0, -1.0, float("inf"), float("nan")])
def test_a_timeout_is_above_zero(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds above 0"):
        RestApi(base_url="https://a", timeout=seconds)


@pytest.mark.parametrize("timeout", [2.5, {"read": 3}])
def test_a_timeout_is_one_number_or_its_parts(timeout: Any) -> None:
    parsed = RestApi(base_url="https://a", timeout=timeout).timeout
    assert parsed in (2.5, Timeouts(read=3))


def test_allowed_hosts_are_hosts() -> None:
    api = RestApi(base_url="https://a", allow_hosts=("API.example.com", "b:8443"))
    assert api.allow_hosts == ("api.example.com", "b:8443")
    with pytest.raises(ValueError, match="is no host"):
        RestApi(base_url="https://a", allow_hosts=("https://b",))
