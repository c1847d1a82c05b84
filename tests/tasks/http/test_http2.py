"""HTTP/2 against granian, where the API offers it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.authority import Authority
from tests.support.reading import NO_RETRY, send
from tests.support.server import serve, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.http import session
from astrio.tasks.http.session import open_session


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def url(authority: Authority) -> Iterator[str]:
    """A granian that speaks HTTP/2 and HTTP/1.1 over TLS."""
    certificate, key = authority.issue("granian")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port)]
    command += ["--ssl-certificate", str(certificate), "--ssl-keyfile", str(key)]
    command += ["--no-log", "tests.support.http2_app:app"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")])
async def test_the_connection_says_which_http(
    authority: Authority, url: str, http2: bool, version: str
) -> None:
    got = await send(url, http2=http2, tls={"ca": str(authority.ca)})
    assert json.loads(got.content)["version"].startswith(version)


async def test_a_certificate_of_another_host_is_refused(authority: Authority, url: str) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    other = url.replace("localhost", "api.corp")
    api = RestApi.model_validate(
        {"base_url": other, "http2": True, "tls": {"ca": str(authority.ca)}}
    )
    async with open_session(api, lookup) as opened:
        with pytest.raises(Exception, match="certificate verify failed"):
            await opened.get(other)


async def test_faults_before_sending_are_told_as_ever() -> None:
    with pytest.raises(AstrioError, match="host name is unknown"):
        await send("http://no-such-host.invalid", http2=True, retry=NO_RETRY)


async def test_a_service_that_is_away_is_told() -> None:
    with pytest.raises(AstrioError, match="cannot be reached"):
        await send(unused_url(), http2=True, retry=NO_RETRY)


async def test_the_next_address_is_tried() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    with serve(lambda _: {"ok": True}) as server:
        url = server.url.replace("127.0.0.1", "api.corp")
        async with open_session(RestApi(base_url=url, http2=True), lookup) as opened:
            assert (await opened.get(url)).json() == {"ok": True}


def test_a_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError) as caught:
        open_session(RestApi(base_url="https://a.example", http2=True))
    assert "astrio[http2]" in caught.value.advice
