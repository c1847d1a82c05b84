from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.blocks import save_block
from tests.support.provider import SECRET, Provider, provider

from astrio.blocks.auth.oauth2_client_credentials import ClientCredentialsAuth
from astrio.blocks.auth.oauth2_refresh_token import RefreshTokenAuth
from astrio.blocks.errors import AstrioError
from astrio.blocks.store import reader
from astrio.flows.keep_alive import keep_alive


@pytest.fixture
def server(prefect_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider, and a saved connection of each kind."""
    monkeypatch.setenv("ASTRIO_SECRET_KEY", "bXktdmVyeS1zZWNyZXQta2V5LW9mLTMyLWJ5dGVzISE=")
    monkeypatch.setenv("ASTRIO_LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    with provider() as made:
        client: dict[str, Any] = {"token_url": f"{made.url}/token", "client_id": "me"}
        save_block(ClientCredentialsAuth, "machine", **client, client_secret=SECRET)
        token = made.first_refresh_token()
        save_block(RefreshTokenAuth, "kept", **client, client_secret=SECRET, refresh_token=token)
        reader.forget()
        yield made


async def test_what_may_lapse_unused_is_used_and_nothing_else(server: Provider) -> None:
    assert (await keep_alive())["kept"] == "alive"
    assert server.granted == ["refresh_token"]


async def test_what_was_renewed_lately_is_left_alone(server: Provider) -> None:
    await keep_alive()
    await keep_alive()
    assert server.granted == ["refresh_token"]
    await keep_alive(older_than_hours=0.0)
    assert server.granted == ["refresh_token"] * 2


async def test_one_that_is_refused_is_told_and_holds_up_no_other(server: Provider) -> None:
    server.refreshable.clear()
    assert (await keep_alive())["kept"] == "needs an authorisation"


async def test_a_provider_that_is_down_fails_the_run(server: Provider) -> None:
    server.faults = [500] * 4
    with pytest.raises(AstrioError, match="500"):
        await keep_alive()
