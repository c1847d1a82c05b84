from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.reading import send

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.http.origins import Origins
from astrio.tasks.http.request import ApiRequest


def origins(base: str, **more: Any) -> Origins:
    return Origins(RestApi(base_url=base, **more))


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://a.com", "", "https://a.com"),
        ("https://a.com/", "", "https://a.com/"),
        ("https://a.com", "/orders", "https://a.com/orders"),
        ("https://a.com/v1", "orders", "https://a.com/v1/orders"),
        ("https://a.com/v1/", "/orders/?a=1", "https://a.com/v1/orders/?a=1"),
        ("https://a.com/v1", "?a=1", "https://a.com/v1?a=1"),
        ("https://a.com", "//evil.com/x", "https://a.com/evil.com/x"),
        ("https://a.com", "@evil.com", "https://a.com/@evil.com"),
        ("https://a.com", "/a%2Fb/c#top", "https://a.com/a%2Fb/c"),
        ("https://a.com:8443/v1", "/o?next=../x", "https://a.com:8443/v1/o?next=../x"),
    ],
)
def test_a_path_is_joined_below_the_base(base: str, path: str, url: str) -> None:
    assert str(origins(base).resolve(path)) == url


@pytest.mark.parametrize("path", ["/..", "a/../b", "./a", "a/%2e%2E/b", "a\\..\\b", "%2E"])
def test_a_path_that_climbs_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="segment"):
        origins("https://a.com/v1").resolve(path)


@given(st.text(max_size=30))
def test_no_path_leaves_the_origin(path: str) -> None:
    try:
        url = origins("https://a.com/v1").resolve("/" + path)
    except ConfigurationError:
        return
    assert (url.scheme, url.host, url.port) == ("https", "a.com", None)
    assert url.path.startswith("/v1")


def test_a_reference_in_a_path_is_one_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "a/b?c")
    url = origins("https://a.com").resolve("/shops/${env:SHOP}/orders")
    assert url.raw_path == b"/shops/a%2Fb%3Fc/orders"


def test_a_reference_in_a_link_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary")
    assert "canary" not in str(origins("https://a.com").resolve("https://a.com/?x=${env:SECRET}"))


@pytest.mark.parametrize(
    "link",
    [
        "https://a.com/x?page=2",
        "https://A.com:443/x",
        "https://b.com/x",
        "https://c.com:8443/x",
    ],
)
def test_links_to_the_same_origin_or_an_allowed_host_are_followed(link: str) -> None:
    allowed = origins("https://a.com", allow_hosts=("b.com", "c.com:8443"))
    assert allowed.resolve(link).path == "/x"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.com/x",
        "http://a.com/x",
        "https://a.com:8443/x",
        "https://a.com.evil.com/x",
        "https://b.com:8443/x",
        "http://b.com/x",
        "https://c.com/x",
        "ftp://a.com/x",
        "file:///etc/passwd",
    ],
)
def test_links_to_another_origin_are_refused_naming_both(link: str) -> None:
    allowed = origins("https://a.com", allow_hosts=("b.com", "c.com:8443"))
    with pytest.raises(ApiAnswerError, match=r"from https://a\.com to") as caught:
        allowed.resolve(link)
    assert "allow_hosts" in caught.value.advice or "base_url" in caught.value.advice


@pytest.mark.parametrize(
    "link",
    [
        "https://a.com\\@evil.com/",
        "https://a.com@evil.com/",
        "https://user:pass@a.com/",
        "https://a.com\t.evil.com/",
        "https://a.com:99999999/",
        "https://[a.com/",
    ],
)
def test_treacherous_links_are_refused(link: str) -> None:
    with pytest.raises(ApiAnswerError):
        origins("https://a.com").resolve(link)


def test_an_upgrade_to_https_is_suggested() -> None:
    with pytest.raises(ApiAnswerError) as caught:
        origins("http://a.com").resolve("https://a.com/x")
    assert "set base_url to https://a.com" in caught.value.advice


def test_a_base_url_from_a_variable_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "ftp://a.com")
    with pytest.raises(ConfigurationError, match="base_url cannot be used"):
        origins("${env:BASE}")


async def test_a_refused_link_names_the_request() -> None:
    with pytest.raises(ApiAnswerError) as caught:
        await send("https://a.com", ApiRequest("GET", "https://evil.com/x"))
    assert caught.value.request == "GET https://evil.com/x (page 3)"
