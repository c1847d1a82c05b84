"""Prefect's clients share a TLS context where they trust the same file, and only there."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import httpx
import pytest
from prefect.client import orchestration
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_TLS_INSECURE_SKIP_VERIFY, temporary_settings

from astrio.flows.one_trust import share_trust


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "ssl", ssl)
    share_trust()


def trust() -> ssl.SSLContext:
    client = get_client(httpx_settings={"base_url": "https://localhost/api"}, sync_client=True)
    transport = client._client._transport
    assert isinstance(transport, httpx.HTTPTransport)
    context = transport._pool._ssl_context
    assert context is not None
    return context


def test_two_clients_share_one_context() -> None:
    assert trust() is trust()


def test_a_client_that_verifies_nothing_leaves_the_others_verifying() -> None:
    with temporary_settings({PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True}):
        lax = trust()
    assert lax.verify_mode == ssl.CERT_NONE
    strict = trust()
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    make = vars(orchestration)["ssl"].create_default_context
    file = tmp_path / "authorities.pem"
    file.write_bytes(Path(certifi.where()).read_bytes())
    before = make(cafile=str(file))
    assert make(cafile=str(file)) is before
    os.utime(file, ns=(1, 1))
    assert make(cafile=str(file)) is not before


def test_what_is_asked_for_in_another_way_is_nobody_elses() -> None:
    make = vars(orchestration)["ssl"].create_default_context
    assert make() is not make()
    with pytest.raises(OSError, match="No such file"):
        make(cafile="/nowhere/authorities.pem")
