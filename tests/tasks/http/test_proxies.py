"""Requests through the proxy that the connection names, and through no other."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from tests.support.authority import Authority
from tests.support.proxy import proxy
from tests.support.reading import NO_RETRY, send
from tests.support.server import answer, serve, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiAnswerError, AstrioError, ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.http.session import open_session

PASSWORD = "canary/p@ss:22"
BASIC = "Basic " + b64encode(f"ann:{PASSWORD}".encode()).decode()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", PASSWORD)


@pytest.mark.parametrize("http2", [False, True])
class TestProxies:
    async def test_plain_requests_go_through_it_with_its_password(self, http2: bool) -> None:
        with proxy(BASIC) as through, serve(lambda _: {}) as server:
            url = f"http://ann:${{env:PROXY_PASSWORD}}@{through.address}"
            await send(server.url, proxy=url, http2=http2)
        assert through.asked == [f"GET {server.url}/orders HTTP/1.1"]
        assert "Proxy-Authorization" not in server.requests[0].headers

    async def test_tls_goes_through_a_tunnel(self, http2: bool, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        with proxy() as through, serve(lambda _: {}, authority.server_context()) as server:
            tls = {"ca": str(authority.ca)}
            await send(server.url, proxy=f"http://{through.address}", tls=tls, http2=http2)
        assert through.asked == [f"CONNECT {server.url.removeprefix('https://')} HTTP/1.1"]

    async def test_a_proxy_that_refuses_is_told(self, http2: bool, tmp_path: Path) -> None:
        context = Authority(tmp_path).server_context()
        with (
            proxy(BASIC) as through,
            serve(lambda _: {}, context) as server,
            pytest.raises(AstrioError, match="proxy refuses") as caught,
        ):
            url = f"http://ann:wrong-canary@{through.address}"
            await send(server.url, proxy=url, http2=http2, retry=NO_RETRY)
        assert "wrong-canary" not in str(caught.value)
        assert not server.requests

    async def test_a_proxy_that_is_away_is_told(self, http2: bool) -> None:
        with pytest.raises(AstrioError, match="cannot be reached"):
            await send("http://api.example", proxy=unused_url(), http2=http2, retry=NO_RETRY)

    async def test_a_proxy_is_no_way_to_a_private_address(self, http2: bool) -> None:
        with (
            proxy() as through,
            serve(lambda _: {}) as other,
            serve(lambda _: answer({}, 302, {"Location": f"{location}/x"})) as server,
        ):
            for location in (other.url, other.url.replace("127.0.0.1", "localhost")):
                hosts = [location.removeprefix("http://")]
                with pytest.raises(ApiAnswerError, match="private or local"):
                    url = f"http://{through.address}"
                    await send(server.url, proxy=url, allow_hosts=hosts, http2=http2)
        assert not other.requests

    async def test_the_environments_proxy_is_left_out(
        self, http2: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, unused_url())
        with serve(lambda _: {}) as server:
            await send(server.url, http2=http2)
        assert len(server.requests) == 1


def test_its_password_shows_nowhere() -> None:
    api = RestApi(base_url="https://a.example", proxy="http://ann:canary-lit-3@p.example:3128")
    for text in (repr(api), api.model_dump_json(), redact("canary-lit-3")):
        assert "canary-lit-3" not in text
    stored = RestApi.model_validate(api.model_dump())
    with pytest.raises(ConfigurationError, match="masked"):
        open_session(stored)


@pytest.mark.parametrize(
    "url", ["socks5://p:1", "p.example:3128", "http://", "http://p:0", "http://p/x", "http://p?a"]
)
def test_what_is_no_proxy_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="proxy"):
        RestApi(base_url="https://a.example", proxy=url)
    monkeypatch.setenv("PROXY", url)
    with pytest.raises(ConfigurationError, match="proxy cannot be used"):
        open_session(RestApi(base_url="https://a.example", proxy="${env:PROXY}"))
