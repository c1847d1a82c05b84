"""Saving and reading through Prefect's own client where the server is away, or shut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from tests.support.blocks import made, save_block
from tests.support.server import answer, serve, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.database import Database
from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    CredentialsError,
    ServerUnavailableError,
)
from astrio.blocks.saved.saving import delete, save
from astrio.blocks.store import reader
from astrio.blocks.store.document import Document

SAVED = Document("astrio-database", "shop", {"url": "sqlite:///x.db"}, {}, str(uuid4()))
ACTIONS: list[Callable[[], Any]] = [
    lambda: save(Database, SAVED),
    lambda: delete(SAVED),
    lambda: reader.database("shop"),
]


@pytest.mark.parametrize("act", ACTIONS)
def test_a_server_that_is_away_is_told(act: Callable[[], Any]) -> None:
    reader.forget()
    url = f"{unused_url()}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(AstrioError) as caught:
        act()
    assert isinstance(caught.value, ServerUnavailableError)
    assert url in caught.value.message


@pytest.mark.parametrize("act", ACTIONS)
def test_a_server_that_refuses_us_is_told(act: Callable[[], Any]) -> None:
    reader.forget()
    with (
        serve(lambda _: answer({"detail": "no"}, 401)) as server,
        temporary_settings({PREFECT_API_URL: f"{server.url}/api"}),
        pytest.raises(AstrioError) as caught,
    ):
        act()
    assert isinstance(caught.value, CredentialsError)
    assert "PREFECT_API_AUTH_STRING" in caught.value.advice


def test_a_server_that_has_no_blocks_is_told() -> None:
    with (
        serve(lambda _: answer({}, 404)) as server,
        temporary_settings({PREFECT_API_URL: f"{server.url}/api"}),
    ):
        delete(SAVED)  # it is gone already
        with pytest.raises(ServerUnavailableError, match="cannot be asked"):
            save(Database, SAVED)


def test_a_block_of_a_later_version_is_not_saved_by_this_one(prefect_api: str) -> None:
    data = {"base_url": "https://x.example.com", "auth": {"block_type_slug": "astrio-tomorrow"}}
    with pytest.raises(ConfigurationError, match="astrio-tomorrow"):
        save(RestApi, Document(RestApi.slug(), "later", data, {}))


def test_an_authentication_that_is_half_filled_is_named_itself(prefect_api: str) -> None:
    from tests.contracts.block import emptied

    reader.forget()
    name, auth = f"api-{uuid4().hex[:8]}", f"key-{uuid4().hex[:8]}"
    save_block(BearerAuth, auth, token="s3cret-token")
    loaded = type(made(BearerAuth, token="x")).load(auth)
    save_block(RestApi, name, base_url="https://x.example.com", auth=loaded)
    import asyncio

    asyncio.run(emptied(BearerAuth, auth))
    reader.forget()
    with pytest.raises(ConfigurationError, match=r"`auth\.token` is empty") as caught:
        reader.rest_api(name)
    assert f"astrio connections add {auth} bearer --replace token=" in caught.value.advice
