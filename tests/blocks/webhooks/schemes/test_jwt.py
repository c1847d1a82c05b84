from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.jwt import Jwt

RSA = RSAKey.generate_key(2048)
EC, OTHER_EC = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
JWKS = "https://login.example.com/keys"


def pem(key: Any, *, private: bool) -> str:
    return bytes(key.as_pem(private=private)).decode()


class TestJwt(SignatureContract):
    scheme: ClassVar[Jwt] = Jwt()
    secret: ClassVar = "canary-1" * 5
    other: ClassVar = "canary-2" * 5
    covered: ClassVar = ("authorization",)
    covers_body: ClassVar = False
    id_expected: ClassVar = ID
    timed: ClassVar = False  # type: ignore[assignment] # a token has its own end, tested below

    def token(self, claims: dict[str, Any], key: Any = None, **header: Any) -> Received:
        """Return a request with a token of these claims."""
        signer = key or OctKey.import_key(self.secret)
        algorithm = self.scheme.algorithms[0]
        text = jwt.encode({"alg": algorithm, **header}, claims, signer, algorithms=[algorithm])
        headers = [(b"authorization", f"Bearer {text}".encode())]
        return Received("POST", self.url, headers, BODY)

    def with_claims(self, **claims: Any) -> str:
        """Return the reason why a token of these claims is refused, empty if it is not."""
        return self.verdict(self.token(claims)).reason

    def _meant(self, received: Received) -> tuple[object, ...]:
        """The word Bearer may be written in any case."""
        found = [value for name, value in received.headers if name.decode() in self.covered]
        return ([value[:7].lower() + value[7:] for value in found], self.covers_body)

    def test_both_sides_may_rotate_at_once(self) -> None:
        sent = self.received((self.other,))
        assert self.verdict(sent, (self.secret, self.other)).accepted


class TestJwtClaims(TestJwt):
    """The claims of a token; what else is true of one is tested above."""

    scheme: ClassVar[Jwt] = Jwt(issuer="vendor", audience="astrio")
    good: ClassVar[dict[str, Any]] = {"iss": "vendor", "aud": "astrio", "exp": NOW + 60}

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({}, ""),
            ({"aud": ["x", "astrio"]}, ""),
            ({"exp": NOW - 300}, ""),
            ({"exp": NOW - 301}, "timestamp"),
            ({"exp": None}, "timestamp"),
            ({"exp": None, "iat": NOW - 300}, ""),
            ({"exp": None, "iat": NOW - 301}, "timestamp"),
            ({"iat": NOW + 300}, ""),
            ({"iat": NOW + 301}, "timestamp"),
            ({"nbf": NOW + 301}, "timestamp"),
            ({"exp": "soon"}, "timestamp"),
            ({"exp": True}, "timestamp"),
            ({"iss": "somebody"}, "issuer"),
            ({"iss": None}, "issuer"),
            ({"aud": "somebody"}, "audience"),
            ({"aud": None}, "audience"),
            ({"jti": "a b"}, "malformed"),
            ({"jti": 5}, ""),
        ],
    )
    def test_claims_decide(self, claims: dict[str, Any], reason: str) -> None:
        told = {name: value for name, value in (self.good | claims).items() if value is not None}
        assert self.with_claims(**told) == reason


class TestJwtOfTheBody(TestJwt):
    scheme: ClassVar[Jwt] = Jwt(body_claim="sha256")
    covers_body: ClassVar = True

    def _meant(self, received: Received) -> tuple[object, ...]:
        return (*super()._meant(received), received.body)


class TestJwtByRsaKey(TestJwt):
    scheme: ClassVar[Jwt] = Jwt(
        algorithms=("RS256", "ES256"), header="X-Token", prefix="", tolerance=60
    )
    secret: ClassVar = pem(RSA, private=True)
    other: ClassVar = pem(RSAKey.generate_key(2048), private=True)
    covered: ClassVar = ("x-token",)

    def test_the_public_key_verifies_as_pem_jwk_and_set(self) -> None:
        public = RSA.as_dict(private=False)
        keys = {"keys": [{"kty": "unheard-of"}, EC.as_dict(private=False), public]}
        for text in (pem(RSA, private=False), json.dumps(public), json.dumps(keys)):
            self.scheme.check_secret(text)
            assert self.verdict(self.received(), (text,)).accepted

    def test_a_public_key_signs_nothing(self) -> None:
        with pytest.raises(ValueError, match="cannot sign"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [pem(RSA, private=False)])

    def test_a_public_key_is_no_shared_secret(self) -> None:
        text = jwt.encode(
            {"alg": "HS256"},
            {"exp": NOW + 60},
            OctKey.import_key({"kty": "oct", "k": "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"}),
            algorithms=["HS256"],
        )
        forged = Received("POST", self.url, [(b"x-token", text.encode())], BODY)
        assert not self.verdict(forged).accepted


class TestJwtByFetchedKeys(TestJwt):
    scheme: ClassVar[Jwt] = Jwt(algorithms=("ES256",), jwks_url=JWKS)
    secret: ClassVar = json.dumps(EC.as_dict(private=True) | {"kid": "k1"})
    other: ClassVar = json.dumps(OTHER_EC.as_dict(private=True) | {"kid": "k2"})
    keys: ClassVar = json.dumps({"keys": [EC.as_dict(private=False) | {"kid": "k1"}]}).encode()

    def received(
        self, secrets: Sequence[str] = (), body: bytes | None = None, timestamp: int = NOW
    ) -> Received:
        sent = super().received(secrets, body, timestamp)
        return replace(sent, documents={JWKS: b"{}"})

    def test_keys_are_fetched_once_a_token_comes(self) -> None:
        assert not self.scheme.needs_secret
        sent = replace(self.received(), documents={})
        assert self.verdict(sent, ()).wants == JWKS
        known = replace(sent, documents={JWKS: self.keys})
        assert self.verdict(known, ()).accepted

    def test_a_key_that_is_not_known_may_be_a_new_one(self) -> None:
        sent = replace(self.received((self.other,)), documents={JWKS: self.keys})
        verdict = self.verdict(sent, ())
        assert (verdict.reason, verdict.wants) == ("document", JWKS)

    def test_keys_that_cannot_be_read_fit_nothing(self) -> None:
        for keys in (b"", b"\xff", b"{", b"[]", b'{"keys": 5}', b'{"keys": [5]}', b"[" * 100_000):
            sent = replace(self.received(), documents={JWKS: keys})
            assert self.verdict(sent, ()).reason == "signature"


@pytest.mark.parametrize(
    "token",
    [
        *(b"", b"a", b"a.b", b"a.b.c", b"..", b"e30.e30.", b"bnVsbA.e30.x", b"W10.e30.x"),
        *(b"\xff.\xff.\xff", b"eyJhbGciOiJub25lIn0.e30.", b"a." * 9, b"." * 20_000),
        b"eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTk5fQ.",
    ],
)
def test_what_is_no_token_is_refused(token: bytes) -> None:
    received = Received("POST", "https://x.example", [(b"authorization", b"Bearer " + token)], b"")
    assert not TestJwt().verdict(received).accepted


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"algorithms": ["HS256", "RS256"]}, "do not mix"),
        ({"algorithms": ["none"]}, "HS256"),
        ({"algorithms": []}, "at least 1"),
        ({"jwks_url": JWKS}, "need a shared secret"),
        ({"jwks_url": "http://a.example", "algorithms": ["RS256"]}, "https"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Jwt.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "secret", "said"),
    [
        ({}, "short", "32 characters"),
        ({}, pem(RSA, private=False), "no key"),
        ({"algorithms": ["RS256"]}, "canary" * 8, "no key"),
        ({"algorithms": ["RS256"]}, '{"kty": "oct", "k": "Y2FuYXJ5"}', "no key"),
    ],
)
def test_a_secret_that_would_not_do_is_told(
    settings: dict[str, Any], secret: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Jwt.model_validate(settings).check_secret(secret)
    assert "canary" not in str(caught.value)
