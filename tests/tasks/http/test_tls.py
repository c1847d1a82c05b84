"""TLS with an authority and client certificates of our own, over both transports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.authority import Authority
from tests.support.reading import NO_RETRY, send
from tests.support.server import serve

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.tls import Tls
from astrio.tasks.http.tls import tls_context

PASSWORD = "canary-tls-4471"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("http2", [False, True])
class TestServers:
    async def test_an_own_authority_is_trusted(self, authority: Authority, http2: bool) -> None:
        with serve(lambda _: {}, authority.server_context()) as server:
            await send(server.url, tls={"ca": str(authority.ca)}, http2=http2)
        assert len(server.requests) == 1

    async def test_without_it_nothing_is_sent(self, authority: Authority, http2: bool) -> None:
        with (
            serve(lambda _: {}, authority.server_context()) as server,
            pytest.raises(AstrioError, match="certificate cannot be trusted"),
        ):
            await send(server.url, http2=http2, retry=NO_RETRY)
        assert not server.requests

    @pytest.mark.parametrize("place", ["auth", "tls"])
    async def test_a_client_certificate_is_shown(
        self, authority: Authority, http2: bool, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TLS_PASSWORD", PASSWORD)
        certificate, key = authority.issue("client", PASSWORD.encode())
        own = {
            "certificate": str(certificate),
            "key": str(key),
            "password": "${env:TLS_PASSWORD}",
        }
        api: dict[str, Any] = {"tls": {"ca": str(authority.ca)}}
        if place == "auth":
            api["auth"] = {"type": "mutual_tls", **own}
        else:
            api["tls"] |= own
        with serve(lambda _: {}, authority.server_context(mutual=True)) as server:
            await send(server.url, http2=http2, **api)
        assert len(server.requests) == 1

    async def test_without_a_certificate_it_is_refused(
        self, authority: Authority, http2: bool
    ) -> None:
        with (
            serve(lambda _: {}, authority.server_context(mutual=True)) as server,
            pytest.raises(AstrioError),
        ):
            await send(server.url, tls={"ca": str(authority.ca)}, http2=http2, retry=NO_RETRY)
        assert not server.requests


async def test_certificates_may_stand_in_variables(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = authority.issue("client")
    monkeypatch.setenv("CA", authority.ca.read_text())
    monkeypatch.setenv("BOTH", certificate.read_text() + key.read_text())
    auth = {"type": "mutual_tls", "certificate": "${env:BOTH}"}
    with serve(lambda _: {}, authority.server_context(mutual=True)) as server:
        await send(server.url, tls={"ca": "${env:CA}"}, auth=auth)
    assert len(server.requests) == 1
    assert key.read_text() not in redact(f"it was {key.read_text()}")


class TestFiles:
    def refused(self, **tls: str) -> ConfigurationError:
        with pytest.raises(ConfigurationError, match="cannot be used") as caught:
            tls_context(RestApi.model_validate({"base_url": "https://a.example", "tls": tls}))
        assert PASSWORD not in str(caught.value)
        assert caught.value.advice
        return caught.value

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        assert "none.pem" in self.refused(ca=str(tmp_path / "none.pem")).message
        assert "none.pem" in self.refused(certificate=str(tmp_path / "none.pem")).message

    def test_a_wrong_password_is_told_and_none_is_asked_for(self, authority: Authority) -> None:
        certificate, key = authority.issue("client", PASSWORD.encode())
        self.refused(certificate=str(certificate), key=str(key), password="wrong")
        self.refused(certificate=str(certificate), key=str(key))

    def test_a_key_of_another_certificate_is_told(self, authority: Authority) -> None:
        certificate, _ = authority.issue("client")
        _, key = authority.issue("other")
        self.refused(certificate=str(certificate), key=str(key), password=PASSWORD)

    def test_what_is_no_pem_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "x.pem").write_text("nothing")
        self.refused(ca=str(tmp_path / "x.pem"))
        monkeypatch.setenv("CA", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----")
        self.refused(ca="${env:CA}")


def test_a_literal_password_shows_nowhere() -> None:
    tls = Tls(certificate="client.pem", password=PASSWORD)
    api = RestApi(base_url="https://a.example", tls=tls)
    for text in (repr(tls), repr(api), api.model_dump_json(), redact(PASSWORD)):
        assert PASSWORD not in text
    assert api.model_dump(context={"show_secrets": True})["tls"]["password"] == PASSWORD
    assert Tls(password="${env:P}").model_dump()["password"] == "${env:P}"


def test_a_key_that_is_written_out_is_refused() -> None:
    with pytest.raises(ValueError, match="not written out"):
        Tls(key="-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----")


def test_the_certificate_is_given_once() -> None:
    own = {"certificate": "client.pem"}
    with pytest.raises(ValueError, match="once"):
        RestApi.model_validate(
            {"base_url": "https://a.example", "tls": own, "auth": {"type": "mutual_tls", **own}}
        )
