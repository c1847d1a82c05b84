"""What is true of every authentication whose token is had from a server."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.contracts.auth import REFERENCE, AuthContract, TokenAuthContract

from astrio.blocks.auth.choice import AnyAuth  # noqa: F401 (finds every authentication)
from astrio.blocks.auth.oauth2_client_credentials import ClientCredentialsAuth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import subclasses_in
from astrio.blocks.tokens import TokenAuth

CLIENT = {
    "token_url": "https://login.example.com/token",
    "client_id": "shop",
    "client_secret": REFERENCE,
}


class TestClientCredentials(TokenAuthContract):
    settings: ClassVar = {"type": "oauth2_client_credentials", **CLIENT}


class TestRefreshToken(TokenAuthContract):
    settings: ClassVar = {"type": "oauth2_refresh_token", **CLIENT, "refresh_token": REFERENCE}


class TestAuthorizationCode(TokenAuthContract):
    settings: ClassVar = {
        "type": "oauth2_authorization_code",
        **CLIENT,
        "authorization_url": "https://login.example.com/authorize",
    }


class TestDeviceCode(TokenAuthContract):
    settings: ClassVar = {
        "type": "oauth2_device_code",
        **CLIENT,
        "device_authorization_url": "https://login.example.com/device",
    }


class TestJwt(TokenAuthContract):
    settings: ClassVar = {
        "type": "jwt",
        "issuer": "shop",
        "private_key": REFERENCE,
        "token_url": "https://login.example.com/token",
    }


class TestLogin(TokenAuthContract):
    settings: ClassVar = {
        "type": "login",
        "url": "https://api.example.com/login",
        "fields": {"user": REFERENCE, "password": REFERENCE},
        "token": "data.token",
    }


class TestLoginByCookie(TokenAuthContract):
    settings: ClassVar = {
        "type": "login",
        "url": "https://api.example.com/login",
        "fields": {"password": REFERENCE},
        "token_cookie": "session",
    }


class TestTokenPool(AuthContract):
    settings: ClassVar = {"type": "token_pool", "tokens": {"first": REFERENCE}}
    sent_headers: ClassVar = {"authorization": "Bearer canary-4f9d1c73e8"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"token_url": "login.example.com/token"}, "begins with https://"),
        ({"client_auth": "basic", "client_secret": ""}, "basic needs a client_secret"),
        ({"client_auth": "private_key_jwt"}, "needs a private_key"),
    ],
)
def test_a_client_that_could_not_prove_itself_is_refused(more: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ClientCredentialsAuth.model_validate({**CLIENT, **more})


def test_a_grant_may_be_asked_for_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "secret")
    auth = ClientCredentialsAuth.model_validate({**CLIENT, "client_auth": "post", "body": "json"})
    asked = auth.token_request(None, 0.0)
    assert asked.form is None
    assert asked.json == {
        "grant_type": "client_credentials",
        "client_id": "shop",
        "client_secret": "secret",
    }


def test_a_secret_with_a_line_break_is_refused() -> None:
    auth = ClientCredentialsAuth.model_validate({**CLIENT, "client_secret": "two\nlines"})
    with pytest.raises(ConfigurationError, match="line break"):
        auth.to_httpx_auth()


def test_every_such_authentication_is_here() -> None:
    from astrio.blocks import auth

    here: set[Any] = {each.settings["type"] for each in TokenAuthContract.__subclasses__()}
    known = subclasses_in(auth, TokenAuth)
    assert {str(each.model_fields["type"].default) for each in known} == here
