"""Reading what is saved: what goes wrong, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.blocks import save_secret
from tests.support.server import answer, serve, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ConfigurationError, CredentialsError, ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve
from astrio.blocks.store import reader
from astrio.blocks.store.document import Document
from astrio.blocks.store.door import http_door
from astrio.blocks.store.reach import reached, reaching


@pytest.fixture(autouse=True)
def _unread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    reader.forget()
    yield
    reader.forget()


@pytest.fixture
def saved(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few saved connections."""
    from astrio.blocks.saved.saving import save

    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    none = {"base_url": "https://shop.example.com", "auth": {"block_type_slug": "astrio-none"}}
    save(RestApi, Document(RestApi.slug(), "reader-shop", none, {}))
    save_secret("reader-secret", "sec-value-7791\n")
    save_secret("reader-json", {"key": "sec-json-8812"})
    save_secret("reader-empty", "")
    save_secret("reader-number", [7, "sec-list-9913"])


@pytest.fixture
def over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as `preview` does, where Prefect is not imported."""
    monkeypatch.setattr(reader, "open_door", http_door)


def test_a_saved_api_is_read(saved: None, over_http: None) -> None:
    assert reader.rest_api("reader-shop").base_url == "https://shop.example.com"


def test_it_is_read_once_until_the_next_run_begins(saved: None, over_http: None) -> None:
    first = reader.rest_api("reader-shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", unused_url())
        assert reader.rest_api("reader-shop") == first
        reader.forget()
        with pytest.raises(ServerUnavailableError):
            reader.rest_api("reader-shop")


def test_a_secret_block_is_resolved_and_masked(saved: None, over_http: None) -> None:
    assert resolve("Bearer ${secret:reader-secret}") == "Bearer sec-value-7791"
    assert resolve("${secret:reader-json}") == '{"key": "sec-json-8812"}'
    assert resolve("${secret:reader-number}") == '[7, "sec-list-9913"]'
    assert redact("sec-value-7791 sec-json-8812 sec-list-9913") == "*** *** ***"


@pytest.mark.parametrize("by_prefect", [True, False])
def test_a_missing_one_is_told_with_the_command_that_saves_it(
    saved: None, by_prefect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_prefect:
        monkeypatch.setattr(reader, "open_door", http_door)
    with pytest.raises(ConfigurationError, match="did you mean `reader-shop`") as caught:
        reader.rest_api("reader-shp")
    assert caught.value.advice == "Save it: astrio connections add reader-shp base_url=https://…"


def test_one_of_another_type_is_told(saved: None) -> None:
    with pytest.raises(ConfigurationError, match="is a REST API; a database is needed") as caught:
        reader.database("reader-shop")
    assert "astrio connections add reader-shop database url=…" in caught.value.advice


@pytest.mark.parametrize("name", ["reader-none", "reader-empty"])
def test_a_secret_that_is_missing_or_empty_is_told(saved: None, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        reader.secret(name)
    assert f"astrio connections add {name} secret value=-" in caught.value.advice


def test_a_name_that_prefect_allows_to_nobody_is_told(saved: None) -> None:
    with pytest.raises(ConfigurationError, match="only a-z, 0-9 and -"):
        reader.secret("My Secret")


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_refuses_us_is_told(
    status: int, over_http: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda _: answer({}, status)) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        with pytest.raises(CredentialsError, match=str(status)) as caught:
            reader.rest_api("shop")
    assert "PREFECT_API_AUTH_STRING" in caught.value.advice


@pytest.mark.parametrize("body", [answer({}, 500), answer("<html>"), answer(b"{")])
def test_a_server_that_is_none_of_prefects_is_told(
    body: Any, over_http: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda _: answer(body.body, body.status)) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        with pytest.raises(ServerUnavailableError, match="cannot be asked"):
            reader.rest_api("shop")


def test_a_block_type_of_a_later_version_is_told() -> None:
    with pytest.raises(ConfigurationError, match="does not know") as caught:
        Document("astrio-of-tomorrow", "shop", {}, {}).plain()
    assert "Upgrade" in caught.value.advice


def test_what_may_be_known_of_a_server_is_asked_only_within_the_block() -> None:
    with reaching(lambda: "http://here"):
        assert reached() == "http://here"
    with pytest.raises(ServerUnavailableError):
        reached()


def test_without_a_configured_server_the_known_one_is_asked(
    prefect_api: str, saved: None, over_http: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL")
    with reaching(lambda: prefect_api):
        assert reader.rest_api("reader-shop").base_url == "https://shop.example.com"
