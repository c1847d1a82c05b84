"""What is true of every authentication whose token is had from a server."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.contracts.auth import REFERENCE, AuthContract, TokenAuthContract

from astrio.blocks.auth.choice import AnyAuth  # noqa: F401 (finds every authentication)
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


def test_every_such_authentication_is_here() -> None:
    from astrio.blocks import auth

    here: set[Any] = {each.settings["type"] for each in TokenAuthContract.__subclasses__()}
    known = subclasses_in(auth, TokenAuth)
    assert {str(each.model_fields["type"].default) for each in known} == here
