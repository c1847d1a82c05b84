"""A signed JSON Web Token in a header (RFC 7519), by a shared secret, public keys or OIDC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from astrio.blocks.webhooks.reading import Refusal, any_equal, plain_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict
from astrio.blocks.webhooks.schemes.secret import HEADER_NAME
from astrio.blocks.webhooks.tokens import UnknownKey, checked_key, claims_of, signed_token

JwtAlgorithm = (
    Literal["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"]
    | Literal["PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
_SHORTEST = 32


class Jwt(TimedScheme):
    """`{type: jwt, algorithms: [RS256], issuer: …, audience: …, jwks_url: …}`.

    A secret is the shared one of an HS algorithm, or a public key in PEM, a JWK or a JWK set. The
    token must not have expired; without `exp` its `iat` must lie within `tolerance`. A token alone
    does not prove the body; where the vendor puts the body's hash into a claim, name it
    (`body_claim`). The `jti` is the id.
    """

    key_form: ClassVar[str] = "the shared secret, or a public key in PEM, JWK or JWK set"

    type: Literal["jwt"] = "jwt"
    header: str = Field(
        default="Authorization", pattern=HEADER_NAME, description="Header of the token."
    )
    prefix: str = Field(default="Bearer ", description="What stands before it; may be empty.")
    algorithms: tuple[JwtAlgorithm, ...] = Field(
        default=("HS256",), min_length=1, description="Algorithms that are accepted."
    )
    issuer: str = Field(default="", description="Who must have signed (iss).")
    audience: str = Field(default="", description="Whom it must be for (aud).")
    jwks_url: str = Field(
        default="", pattern=r"^$|^https://\S+$", description="Where the vendor's public keys are."
    )
    body_claim: str = Field(
        default="", description="Claim that holds the body's SHA-256, hexadecimal."
    )

    @field_validator("algorithms")
    @classmethod
    def _one_kind(cls, algorithms: tuple[JwtAlgorithm, ...]) -> tuple[JwtAlgorithm, ...]:
        shared = [each.startswith("HS") for each in algorithms]
        if any(shared) and not all(shared):
            raise ValueError(
                "a public key could pass for a shared secret: do not mix HS and others"
            )
        return algorithms

    @model_validator(mode="after")
    def _public_keys(self) -> Self:
        if self.jwks_url and self._shared:
            raise ValueError("keys at jwks_url are public; HS algorithms need a shared secret")
        return self

    @property
    def signed(self) -> bool:
        """Whether the token names the body's hash."""
        return bool(self.body_claim)

    @property
    def needs_secret(self) -> bool:
        """Whether the keys are not fetched."""
        return not self.jwks_url

    def check_secret(self, secret: str) -> None:
        """Refuse a shared secret that is too short, and what is no key."""
        super().check_secret(secret)
        if self._shared and len(secret) < _SHORTEST:
            raise ValueError(f"a shared secret has {_SHORTEST} characters at least (RFC 7518, 3.2)")
        checked_key(secret, shared=self._shared)

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the header."""
        given = required(received.headers, self.header.lower().encode())
        lead, prefix = given[: len(self.prefix)], self.prefix.encode()
        if lead.lower() != prefix.lower():
            raise Refusal("malformed")
        keys = list(secrets)
        if self.jwks_url:
            if self.jwks_url not in received.documents:
                return Verdict(False, "document", wants=self.jwks_url)
            keys.append(received.documents[self.jwks_url].decode("utf-8", "replace"))
        token = given[len(prefix) :]
        try:
            claims = claims_of(token, keys, self.algorithms, shared=self._shared)
        except UnknownKey:
            return Verdict(False, "document", wants=self.jwks_url or None)
        self._check(claims, received.body, now)
        identity = claims.get("jti")
        return Verdict(
            True, delivery_id=plain_id(identity.encode()) if isinstance(identity, str) else None
        )

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign a token of this delivery with the newest secret or private key."""
        claims: dict[str, Any] = {
            "iat": outgoing.timestamp,
            "exp": outgoing.timestamp + self.tolerance,
            "jti": outgoing.id,
        }
        claims |= {"iss": self.issuer} if self.issuer else {}
        claims |= {"aud": self.audience} if self.audience else {}
        if self.body_claim:
            claims[self.body_claim] = sha256(outgoing.body).hexdigest()
        token = signed_token(
            claims, next(iter(secrets), ""), self.algorithms[0], shared=self._shared
        )
        return [(self.header, self.prefix + token)]

    @property
    def _shared(self) -> bool:
        return self.algorithms[0].startswith("HS")

    def _check(self, claims: Mapping[str, Any], body: bytes, now: float) -> None:
        until, since, issued = (_number(claims, name) for name in ("exp", "nbf", "iat"))
        ended = now - self.tolerance > until if until is not None else issued is None
        early = any(each is not None and each > now + self.tolerance for each in (since, issued))
        old = until is None and issued is not None and issued < now - self.tolerance
        if ended or early or old:
            raise Refusal("timestamp")
        audiences = claims.get("aud")
        audiences = audiences if isinstance(audiences, list) else [audiences]
        if self.issuer and claims.get("iss") != self.issuer:
            raise Refusal("issuer")
        if self.audience and self.audience not in audiences:
            raise Refusal("audience")
        if self.body_claim:
            told = str(claims.get(self.body_claim)).encode("utf-8", "replace")
            if not any_equal([sha256(body).hexdigest().encode()], [told]):
                raise Refusal("signature")


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal("timestamp")
    return value
