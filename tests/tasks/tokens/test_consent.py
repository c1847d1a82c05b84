from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.support.provider import SECRET, Provider, provider
from tests.support.server import serve

from astrio.blocks.api import RestApi
from astrio.blocks.auth.oauth2_authorization_code import AuthorizationCodeAuth
from astrio.blocks.auth.oauth2_device_code import DeviceCodeAuth
from astrio.blocks.errors import ApiAnswerError, CredentialsError
from astrio.blocks.tokens import NeedsAuthorisationError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings
from astrio.tasks.tokens.consent import Consent, DevicePrompt, agree_by_device

REDIRECT = "http://127.0.0.1:7777/callback"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASTRIO_LEDGER_URL", raising=False)


def connection(server: Provider, **auth: Any) -> RestApi:
    settings = {
        "type": "oauth2_authorization_code",
        "authorization_url": f"{server.url}/authorize",
        "token_url": f"{server.url}/token",
        "client_id": "me",
        "client_secret": SECRET,
        "scopes": ["read", "write"],
        **auth,
    }
    return RestApi.model_validate({"base_url": server.url, "auth": settings})


def consent(server: Provider, **auth: Any) -> tuple[RestApi, Consent]:
    api = connection(server, **auth)
    assert isinstance(api.auth, AuthorizationCodeAuth)
    return api, Consent(api, api.auth, REDIRECT)


async def visited(url: str) -> str:
    """Visit the page as a browser does; return the address that it leads to."""
    async with httpx.AsyncClient() as browser:
        return (await browser.get(url)).headers["location"]


async def ask(api: RestApi) -> int:
    async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
        return (await client.send(ApiRequest("GET", "/orders"))).status


class TestAuthorizationCode:
    async def test_a_connection_works_once_its_owner_has_agreed(self) -> None:
        with provider() as server:
            api, visit = consent(server)
            with pytest.raises(NeedsAuthorisationError, match="not been authorised"):
                await ask(api)
            await visit.finish(await visited(visit.url))
            assert await ask(api) == 200
            server.revoke()
            assert await ask(api) == 200
            assert server.granted == ["authorization_code", "refresh_token"]

    async def test_the_page_is_asked_with_pkce_state_and_scopes(self) -> None:
        with provider() as server:
            _, visit = consent(server, authorization_params={"access_type": "offline"})
            query = parse_qs(urlsplit(visit.url).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["scope"] == ["read write"]
        assert query["access_type"] == ["offline"]
        assert query["redirect_uri"] == [REDIRECT]
        assert len(query["state"][0]) >= 32

    async def test_the_code_of_another_visit_is_refused_by_the_provider(self) -> None:
        with provider() as server:
            _, visit = consent(server)
            _, other = consent(server)
            stolen = parse_qs(urlsplit(await visited(other.url)).query)["code"][0]
            mine = await visited(visit.url)
            state = parse_qs(urlsplit(mine).query)["state"][0]
            with pytest.raises(CredentialsError, match="invalid_grant"):
                await visit.finish(f"{REDIRECT}?code={stolen}&state={state}")

    async def test_an_answer_with_another_state_is_refused_and_sends_nothing(self) -> None:
        with provider() as server:
            _, visit = consent(server)
            with pytest.raises(CredentialsError, match="state differs"):
                await visit.finish(f"{REDIRECT}?code=x&state=forged")
            assert not server.asked

    async def test_an_answer_is_taken_once(self) -> None:
        with provider() as server:
            _, visit = consent(server)
            answered = await visited(visit.url)
            await visit.finish(answered)
            with pytest.raises(CredentialsError, match="state differs"):
                await visit.finish(answered)

    @pytest.mark.parametrize(
        ("answered", "said"),
        [
            ("error=access_denied&error_description=No+thanks", "access_denied No thanks"),
            ("code=x&iss=https://evil.example.com", "another issuer"),
            ("nothing=1", "holds no code"),
        ],
    )
    async def test_a_refusal_is_told(self, answered: str, said: str) -> None:
        with provider() as server:
            _, visit = consent(server, issuer="https://id.example.com")
            state = parse_qs(urlsplit(visit.url).query)["state"][0]
            with pytest.raises(CredentialsError, match=said):
                await visit.finish(f"{answered}&state={state}")

    async def test_scopes_that_were_not_granted_are_told(self) -> None:
        with provider() as server:
            token = {"access_token": "a-token-of-life", "expires_in": 60, "scope": "read"}
            with serve(lambda _: token) as other:
                _, visit = consent(server, token_url=other.url)
                agreed = await visit.finish(await visited(visit.url))
        assert agreed.missing == ("write",)

    async def test_accounts_of_one_client_are_kept_apart(self) -> None:
        with provider() as server:
            first, visit = consent(server, account="first")
            second, _ = consent(server, account="second")
            await visit.finish(await visited(visit.url))
            assert await ask(first) == 200
            with pytest.raises(NeedsAuthorisationError, match="`second`"):
                await ask(second)


class TestDeviceCode:
    def connection(self, server: Provider, **auth: Any) -> tuple[RestApi, DeviceCodeAuth]:
        settings = {
            "type": "oauth2_device_code",
            "device_authorization_url": f"{server.url}/device",
            "token_url": f"{server.url}/token",
            "client_id": "me",
            **auth,
        }
        api = RestApi.model_validate({"base_url": server.url, "auth": settings})
        assert isinstance(api.auth, DeviceCodeAuth)
        return api, api.auth

    async def test_a_code_is_shown_and_waited_for(self) -> None:
        shown: list[DevicePrompt] = []
        with provider() as server:
            api, auth = self.connection(server)
            await agree_by_device(api, auth, shown.append)
            assert await ask(api) == 200
            assert len(server.asked) == 3
        assert (shown[0].code, shown[0].url) == ("WDJB-MJHT", f"{server.url}/enter")

    async def test_a_code_that_nobody_enters_is_told(self) -> None:
        with provider() as server:
            api, auth = self.connection(server)

            async def forgotten(_: float) -> None:
                server.devices.clear()

            with pytest.raises(CredentialsError, match="expired_token"):
                await agree_by_device(api, auth, lambda _: None, sleep=forgotten)

    async def test_slow_down_is_heeded(self) -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        bodies = iter([{"error": "slow_down"}, {"error": "slow_down"}, {"access_token": "abcdef"}])
        with provider() as server, serve(lambda _: next(bodies)) as other:
            api, auth = self.connection(server, token_url=other.url)
            await agree_by_device(api, auth, lambda _: None, sleep=sleep)
        assert waits == [0, 5, 10]

    async def test_an_endpoint_without_a_code_is_told(self) -> None:
        with provider() as server, serve(lambda _: {"hello": 1}) as other:
            api, auth = self.connection(server, device_authorization_url=other.url)
            with pytest.raises(ApiAnswerError, match="gave no code"):
                await agree_by_device(api, auth, lambda _: None)
