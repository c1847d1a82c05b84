from __future__ import annotations

import hashlib
import re
from typing import Any, ClassVar

import httpx
import pytest
from aiohttp import web
from tests.contracts.auth import REFERENCE, SECRET, AuthContract
from tests.support.reading import NO_RETRY, client, send
from tests.support.server import answer, serve

from astrio.blocks.auth.base import Auth
from astrio.blocks.auth.digest import DigestAuth
from astrio.blocks.errors import ApiAnswerError, ConfigurationError, CredentialsError
from astrio.tasks.http.request import ApiRequest

SHA256 = 'Digest realm="shop", qop="auth", algorithm=SHA-256, nonce="n1", opaque="o"'
FIELD = re.compile(r'(\w+)="?([^",]*)"?')


class TestDigest(AuthContract):
    settings: ClassVar = {"type": "digest", "username": "ada", "password": REFERENCE}

    def signed(self, auth: Auth) -> httpx.Request:
        signer = auth.to_httpx_auth()
        assert signer is not None
        flow = signer.auth_flow(httpx.Request("GET", "https://api.example.com/a"))
        asked = httpx.Response(401, headers={"www-authenticate": SHA256}, request=next(flow))
        request = flow.send(asked)
        request.headers["authorization"] = re.sub(
            r'(cnonce|response)="\w+"', r'\1=""', request.headers["authorization"]
        )
        return request

    def test_the_user_name_is_no_secret(self) -> None:
        assert "ada" in repr(self.by_literal())
        assert self.by_literal().literal_secrets() == ("password",)

    def test_a_user_name_that_cannot_be_quoted_is_refused(self) -> None:
        for name in ('a"b', "a\\b", "ä", "a\nb"):
            with pytest.raises(ConfigurationError, match="user name"):
                DigestAuth(username=name, password=SECRET).to_httpx_auth()


class Guarded:
    """A server that knows one password and takes each nonce so many times (RFC 7616)."""

    def __init__(self, algorithm: str = "SHA-256", lives: int = 100) -> None:
        self.algorithm = algorithm
        self.lives = lives
        self.nonces = 0
        self.used: list[str] = []

    def __call__(self, request: web.Request) -> Any:
        given = dict(FIELD.findall(request.headers.get("authorization", "")))
        if given.get("nonce") == f"n{self.nonces}" and len(self.used) < self.lives:
            self.used.append(given["nc"])
            if given["response"] == self.expected(request.method, given):
                return {}
        self.nonces += 1
        self.used = []
        stale = ", stale=true" if given else ""
        challenge = (
            f'Digest realm="shop", qop="auth,auth-int", algorithm={self.algorithm}, '
            f'nonce="n{self.nonces}"{stale}'
        )
        return answer({"no": "x" * 100_000}, 401, {"WWW-Authenticate": challenge})

    def expected(self, method: str, given: dict[str, str]) -> str:
        def digest(text: str) -> str:
            name = self.algorithm.lower().removesuffix("-sess").replace("-", "")
            return hashlib.new(name, text.encode()).hexdigest()

        first = digest(f"ada:shop:{SECRET}")
        if self.algorithm.endswith("-sess"):
            first = digest(f"{first}:{given['nonce']}:{given['cnonce']}")
        second = digest(f"{method}:{given['uri']}")
        middle = ":".join(given[name] for name in ("nonce", "nc", "cnonce", "qop"))
        return digest(f"{first}:{middle}:{second}")


AUTH = {"type": "digest", "username": "ada", "password": SECRET}


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512"])
async def test_a_challenge_is_answered_also_with_a_body(algorithm: str) -> None:
    with serve(Guarded(algorithm)) as server:
        await send(server.url, ApiRequest("POST", "/a b?q=1", body={"a": 1}), auth=AUTH)
    assert [seen.json() for seen in server.requests] == [{"a": 1}, {"a": 1}]


async def test_the_nonce_is_used_again_and_counted() -> None:
    guarded = Guarded()
    with serve(guarded) as server:
        async with client(server.url, auth=AUTH) as opened:
            for _ in range(3):
                await opened.send(ApiRequest("GET", "/orders"))
    assert len(server.requests) == 4
    assert guarded.used == ["00000001", "00000002", "00000003"]


async def test_a_stale_nonce_is_replaced() -> None:
    with serve(Guarded(lives=1)) as server:
        async with client(server.url, auth=AUTH) as opened:
            for _ in range(3):
                await opened.send(ApiRequest("GET", "/orders"))
    assert len(server.requests) == 6


async def test_a_wrong_password_ends_after_one_answer() -> None:
    with serve(Guarded()) as server, pytest.raises(CredentialsError) as caught:
        await send(server.url, auth={**AUTH, "password": "wrong-canary"})
    assert len(server.requests) == 2
    assert "wrong-canary" not in str(caught.value)


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="shop"',
        'Digest realm="shop", nonce="n", algorithm=SHA-512-256',
        'Digest realm="shop", nonce="n", qop="auth-int"',
        'Digest realm="shop", nonce="n", qop="other"',
        "Digest realm",
    ],
)
async def test_a_challenge_that_cannot_be_met_is_told(challenge: str) -> None:
    with (
        serve(lambda _: answer({}, 401, {"WWW-Authenticate": challenge})) as server,
        pytest.raises(ApiAnswerError, match="Digest challenge") as caught,
    ):
        await send(server.url, auth=AUTH, retry=NO_RETRY)
    assert caught.value.request is not None
    assert len(server.requests) == 1


async def test_a_refusal_of_another_scheme_is_a_credentials_error() -> None:
    with (
        serve(lambda _: answer({}, 401, {"WWW-Authenticate": "Bearer"})) as server,
        pytest.raises(CredentialsError),
    ):
        await send(server.url, auth=AUTH)
