"""Logins and signed tokens, as APIs and token endpoints see them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jwt
from tests.support.provider import SECRET, provider
from tests.support.server import Server, answer, serve

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiAnswerError, ConfigurationError, CredentialsError
from astrio.blocks.redaction import redact
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASTRIO_LEDGER_URL", raising=False)
    monkeypatch.setenv("PEM", PEM)
    monkeypatch.setenv("CANARY", SECRET)


async def ask(url: str, auth: dict[str, Any], times: int = 1) -> None:
    api = RestApi.model_validate({"base_url": url, "auth": auth})
    async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
        for _ in range(times):
            await client.send(ApiRequest("GET", "/orders"))


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, jwk.RSAKey.import_key(PEM), algorithms=["RS256"]).claims


class TestJwt:
    async def test_it_is_exchanged_for_an_access_token(self) -> None:
        with provider() as server:
            auth = {
                "type": "jwt",
                "issuer": "me@shop.example.com",
                "subject": "ada",
                "private_key": "${env:PEM}",
                "token_url": f"{server.url}/token",
                "scopes": ["read"],
                "key_id": "k1",
            }
            await ask(server.url, auth, 2)
            [asked] = server.asked
        said = claims(asked["assertion"])
        assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert (said["iss"], said["sub"], said["scope"]) == ("me@shop.example.com", "ada", "read")
        assert said["aud"] == f"{server.url}/token"
        assert said["exp"] - said["iat"] == 600
        header = json.loads(base64.urlsafe_b64decode(asked["assertion"].split(".")[0] + "=="))
        assert (header["alg"], header["kid"]) == ("RS256", "k1")

    async def test_a_service_account_s_key_file_tells_the_rest(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with provider() as server:
            file = {
                "client_email": "bot@shop.example.com",
                "private_key": PEM,
                "token_uri": f"{server.url}/token",
            }
            monkeypatch.setenv("ACCOUNT", json.dumps(file))
            await ask(server.url, {"type": "jwt", "service_account": "${env:ACCOUNT}"})
            assert claims(server.asked[0]["assertion"])["iss"] == "bot@shop.example.com"

    async def test_without_a_token_url_it_is_the_bearer_token_itself(self, tmp_path: Path) -> None:
        auth = {"type": "jwt", "issuer": "12345", "private_key": "${env:PEM}", "audience": "shop"}
        with serve(lambda _: {}) as server:
            await ask(server.url, auth, 2)
            first, second = (seen.headers["authorization"] for seen in server.requests)
        assert first == second
        assert claims(first.removeprefix("Bearer "))["aud"] == "shop"
        assert not (tmp_path / "home").exists()
        assert redact(first) == "Bearer ***"

    @pytest.mark.parametrize(
        ("auth", "said"),
        [
            ({"private_key": "no key at all"}, "cannot be used for RS256"),
            ({"service_account": "{}"}, "no key file"),
            ({"private_key": "${env:PEM}", "algorithm": "ES256"}, "cannot be used for ES256"),
        ],
    )
    async def test_a_key_that_does_not_fit_is_told(self, auth: dict[str, Any], said: str) -> None:
        with provider() as server, pytest.raises(ConfigurationError, match=said):
            await ask(server.url, {"type": "jwt", "token_url": f"{server.url}/token", **auth})

    async def test_a_refused_assertion_is_told(self) -> None:
        with serve(lambda _: answer({"error": "invalid_client"}, 401)) as server:
            auth = {"type": "jwt", "private_key": "${env:PEM}", "token_url": server.url}
            with pytest.raises(CredentialsError, match="invalid_client"):
                await ask(server.url, auth)

    def test_one_key_is_enough_and_needed(self) -> None:
        for keys in ({}, {"private_key": "a", "service_account": "b"}):
            with pytest.raises(ValueError, match="and not both"):
                RestApi.model_validate(
                    {"base_url": "https://a.example.com", "auth": {"type": "jwt", **keys}}
                )


class TestPrivateKeyJwt:
    async def test_a_client_proves_itself_by_a_signed_assertion(self) -> None:
        with provider() as server:
            auth = {
                "type": "oauth2_client_credentials",
                "token_url": f"{server.url}/token",
                "client_id": "me",
                "private_key": "${env:PEM}",
            }
            await ask(server.url, auth)
            said = claims(server.asked[0]["client_assertion"])
        assert (said["iss"], said["sub"], said["aud"]) == ("me", "me", f"{server.url}/token")


class TestLogin:
    @pytest.fixture
    def shop(self) -> Iterator[Server]:
        def shop(request: Any) -> Any:
            if request.path == "/login":
                cookie = {"Set-Cookie": "sid=canary-session-1; Path=/; HttpOnly", "X-Session": "h1"}
                return answer({"data": {"token": "canary-session-1"}}, headers=cookie)
            known = ("Bearer canary-session-1", "canary-session-1")
            sent = request.headers
            in_header = sent.get("authorization") in known or sent.get("x-session") == "h1"
            in_cookie = "sid=canary-session-1" in sent.get("cookie", "")
            return answer({}, 200 if in_header or in_cookie else 401)

        with serve(shop) as server:
            yield server

    @pytest.mark.parametrize(
        "where",
        [
            {"token": "data.token"},
            {"token": "$.data.token", "scheme": ""},
            {"token_header": "X-Session", "header": "X-Session", "scheme": ""},
            {"token_cookie": "sid"},
        ],
    )
    async def test_the_session_token_is_found_and_sent(
        self, shop: Server, where: dict[str, str]
    ) -> None:
        fields = {"user": "ada", "password": "${env:CANARY}"}
        auth = {"type": "login", "url": f"{shop.url}/login", "fields": fields, **where}
        await ask(shop.url, auth, 2)
        login, *others = shop.requests
        assert login.json() == {"user": "ada", "password": SECRET}
        assert [seen.path for seen in others] == ["/orders", "/orders"]

    async def test_fields_go_as_a_form_where_that_is_wanted(self, shop: Server) -> None:
        auth = {
            "type": "login",
            "url": f"{shop.url}/login",
            "fields": {"user": "ada"},
            "body": "form",
            "token": "data.token",
        }
        await ask(shop.url, auth)
        assert shop.requests[0].body == b"user=ada"

    async def test_a_refused_login_is_told(self) -> None:
        with serve(lambda _: answer({"message": "wrong"}, 403)) as server:
            auth = {"type": "login", "url": server.url, "fields": {"u": "a"}, "token": "token"}
            with pytest.raises(CredentialsError, match="refused"):
                await ask(server.url, auth)

    async def test_an_answer_without_a_token_is_told(self) -> None:
        with serve(lambda _: {"token": None}) as server:
            auth = {"type": "login", "url": server.url, "fields": {"u": "a"}, "token": "token"}
            with pytest.raises(ApiAnswerError, match="no token at token"):
                await ask(server.url, auth)

    def test_the_token_is_in_one_place(self) -> None:
        with pytest.raises(ValueError, match="exactly one"):
            RestApi.model_validate(
                {
                    "base_url": "https://a.example.com",
                    "auth": {"type": "login", "url": "https://a.example.com", "fields": {"a": "b"}},
                }
            )
