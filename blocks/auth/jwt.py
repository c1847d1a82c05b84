"""A signed JSON Web Token: a service account's (RFC 7523), or sent to the API as it is."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.oauth2 import life_of, refused, sign_jwt
from astrio.blocks.secrets import resolve
from astrio.blocks.tokens import (
    Token,
    TokenAnswer,
    TokenAuth,
    TokenRequest,
    granted,
)

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtAuth(TokenAuth):
    """`{type: jwt, issuer: me, private_key: "${env:KEY}", token_url: …, scopes: […]}`.

    With `token_url`, the signed token is exchanged for an access token (RFC 7523, section 2.1);
    without, it is itself the bearer token, and signed anew before it lapses. `service_account`
    is the key file of a Google service account, which tells issuer, key and token URL.
    """

    title: ClassVar[str] = "JSON Web Token"
    summary: ClassVar[str] = (
        "A JSON Web Token that is signed here: a service account's, or your own."
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("private_key", "service_account")
    told_apart_by: ClassVar[tuple[str, ...]] = (
        "type",
        "token_url",
        "issuer",
        "subject",
        "audience",
        "scopes",
        "claims",
        "account",
    )
    grows_from: ClassVar[tuple[str, ...]] = ("private_key", "service_account")

    type: Literal["jwt"] = "jwt"
    issuer: str = Field(default="", description="Who signs (iss).")
    subject: str = Field(default="", description="For whom (sub), if the provider wants it.")
    audience: str = Field(
        default="", description="Whom it is for (aud); the token URL if left out."
    )
    private_key: str = Field(default="", description="PEM, JWK, or the secret of an HS algorithm.")
    service_account: str = Field(default="", description="A Google key file's JSON text.")
    algorithm: str = Field(default="RS256", description="RS256, ES256, HS256, ...")
    key_id: str = Field(default="", description="The key's ID (kid).")
    token_url: str = Field(default="", description="Where it is exchanged for an access token.")
    scopes: tuple[str, ...] = Field(default=(), description="What is asked for.")
    claims: dict[str, str] = Field(default_factory=dict, description="More claims.")
    life: float = Field(default=600, gt=0, le=86400, description="Seconds that it is good for.")

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if bool(self.private_key) == bool(self.service_account):
            raise ValueError("give private_key or service_account, and not both")
        return self

    @property
    def exchanged(self) -> bool:
        """Whether an access token is had for it."""
        return bool(self.token_url or self.service_account)

    def to_httpx_auth(self) -> Any:
        """Sign each request with a token of its own making, unless it is exchanged."""
        super().to_httpx_auth()
        if self.exchanged:
            return None
        from astrio.blocks.own_token import SetOwnToken

        return SetOwnToken(self._own_token)

    def token_request(self, held: Token | None, now: float) -> TokenRequest:  # noqa: ARG002 (one shape for all)
        """Exchange a token that is signed now."""
        account = self._account()
        url = resolve(self.token_url) or account.get("token_uri", "")
        claims = {"scope": " ".join(self.scopes)} if self.scopes else {}
        signed = self._signed(account, self.audience or url, claims, now)
        return TokenRequest(url, form={"grant_type": _GRANT, "assertion": signed})

    def read_token(self, answer: TokenAnswer, held: Token | None, now: float) -> Token:
        """Read the access token."""
        body = answer.body if isinstance(answer.body, dict) else {}
        access = body.get("access_token")
        if not isinstance(access, str) or not access:
            raise refused(answer.status, body)
        return granted(access, held, now, life=life_of(body.get("expires_in")))

    def _own_token(self, now: float) -> Token:
        signed = self._signed({}, self.audience, {}, now)
        return Token(signed, now, now + self.life)

    def _signed(
        self, account: dict[str, str], audience: str, claims: dict[str, str], now: float
    ) -> str:
        told = {
            "iss": resolve(self.issuer) or account.get("client_email", ""),
            "sub": resolve(self.subject),
            "aud": audience,
            **claims,
            **self.claims,
        }
        return sign_jwt(
            account.get("private_key") or self.private_key,
            {name: value for name, value in told.items() if value},
            algorithm=self.algorithm,
            key_id=self.key_id or account.get("private_key_id", ""),
            life=self.life,
            now=now,
        )

    def _account(self) -> dict[str, str]:
        if not self.service_account:
            return {}
        try:
            account = json.loads(resolve(self.service_account))
            return {name: str(account[name]) for name in ("client_email", "private_key")} | {
                name: str(account.get(name, "")) for name in ("private_key_id", "token_uri")
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ConfigurationError(
                "service_account is no key file of a service account (JSON with client_email and "
                "private_key).",
                advice="Give the file's text, as ${env:NAME}.",
            ) from None
