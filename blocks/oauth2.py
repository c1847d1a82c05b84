"""What the OAuth 2 grants have in common: the client, the token endpoint and its answers.

RFC 6749, with RFC 7523 (private_key_jwt) and the habits of those who do not keep to them.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from astrio.blocks.errors import ApiAnswerError, ConfigurationError, CredentialsError
from astrio.blocks.redaction import redact, remember
from astrio.blocks.secrets import resolve
from astrio.blocks.tokens import (
    Choice,
    GrantRefusedError,
    NeedsAuthorisationError,
    Token,
    TokenAnswer,
    TokenAuth,
    TokenRequest,
    granted,
)

_LONGEST_ANSWER = 200
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuth2Auth(TokenAuth):
    """Base of the OAuth 2 grants."""

    secret_fields: ClassVar[tuple[str, ...]] = ("client_secret", "private_key")

    token_url: str = Field(description="The token endpoint.")
    client_id: str = Field(min_length=1, description="The client's ID at the provider.")
    client_secret: str = Field(
        default="", description="The client's secret; public ones have none."
    )
    scopes: tuple[str, ...] = Field(default=(), description="What is asked for.")
    client_auth: Literal["auto", "basic", "post", "private_key_jwt", "none"] = Field(
        default="auto",
        description="How the client proves itself: its secret in a header (basic), in the body "
        "(post), a signed assertion, or not at all.",
    )
    private_key: str = Field(default="", description="PEM or JWK, for private_key_jwt.")
    key_id: str = Field(default="", description="The key's ID (kid), if the provider wants it.")
    algorithm: str = Field(default="RS256", description="How the assertion is signed.")
    params: dict[str, str] = Field(
        default_factory=dict, description="More parameters: audience, resource, ..."
    )
    body: Literal["form", "json"] = Field(
        default="form", description="How the token endpoint wants its parameters."
    )
    scheme: str = Field(default="Bearer", description="The word before the token in the header.")
    rotating: Choice = Field(
        default="auto",
        description="Whether a refresh token can be used once only; told from what is seen.",
    )

    @field_validator("token_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        if "${" not in url and not url.startswith(("https://", "http://")):
            raise ValueError("a token URL begins with https://")
        return url

    @model_validator(mode="after")
    def _has_what_it_proves_itself_with(self) -> Self:
        if self.client_auth in ("basic", "post") and not self.client_secret:
            raise ValueError(f"client_auth {self.client_auth} needs a client_secret")
        if self.client_auth == "private_key_jwt" and not self.private_key:
            raise ValueError("client_auth private_key_jwt needs a private_key")
        return self

    def signer(self, token: Token) -> Any:
        """Set the Authorization header."""
        from astrio.blocks.signing import SetHeaders

        return SetHeaders({"Authorization": f"{self.scheme} {token.access}".strip()})

    def at_risk(self, held: Token | None) -> bool:
        """A refresh token that can be used once only may be lost with the answer."""
        if self.rotating != "auto":
            return self.rotating == "always" and bool(held and held.refresh)
        return held is not None and held.refresh is not None and held.rotates is not False

    def grant(self, **fields: str) -> TokenRequest:
        """Return the token request of a grant, with the client's proof; empty fields are left out.

        Raises:
            ConfigurationError: a variable is not set, or the key cannot be read.
        """
        url = resolve(self.token_url)
        form = {name: value for name, value in (self.params | fields).items() if value}
        headers, proof = self._proof(url)
        form |= proof
        if self.body == "json":
            return TokenRequest(url, json=form, headers=headers)
        return TokenRequest(url, form=form, headers=headers)

    def refresh(self, held: Token | None) -> TokenRequest:
        """Return the request of the refresh token grant (RFC 6749, section 6).

        Raises:
            NeedsAuthorisationError: there is no refresh token.
        """
        if held is None or held.refresh is None:
            raise NeedsAuthorisationError(
                "Its access token has lapsed and the provider gave no refresh token."
                if held
                else "It has not been authorised yet.",
                account=self.account,
            )
        return self.grant(grant_type="refresh_token", refresh_token=held.refresh)

    def read_token(self, answer: TokenAnswer, held: Token | None, now: float) -> Token:
        """Read a token endpoint's answer (RFC 6749, section 5)."""
        body = answer.body if isinstance(answer.body, Mapping) else {}
        access = body.get("access_token")
        if not isinstance(access, str) or not access:
            raise refused(answer.status, body)
        refresh, scope = body.get("refresh_token"), body.get("scope")
        return granted(
            access,
            held,
            now,
            life=life_of(body.get("expires_in")),
            refresh=refresh if isinstance(refresh, str) else None,
            scope=scope if isinstance(scope, str) else None,
        )

    def scope(self) -> str:
        """Return the scopes as one parameter."""
        return " ".join(self.scopes)

    def _proof(self, url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the parameters that prove who the client is (section 2.3)."""
        client_id, secret = resolve(self.client_id), resolve(self.client_secret)
        remember(secret)
        match self._method():
            case "basic":
                # Section 2.3.1 wants both form-encoded before they are joined.
                from urllib.parse import quote

                import httpx

                pair = httpx.BasicAuth(quote(client_id, safe=""), quote(secret, safe=""))
                header = next(pair.auth_flow(httpx.Request("POST", url))).headers["authorization"]
                remember(header.removeprefix("Basic "))
                return {"Authorization": header}, {}
            case "post":
                return {}, {"client_id": client_id, "client_secret": secret}
            case "private_key_jwt":
                return {}, {"client_id": client_id, **self._assertion(client_id, url)}
            case _:
                return {}, {"client_id": client_id}

    def _method(self) -> str:
        if self.client_auth != "auto":
            return self.client_auth
        if self.private_key:
            return "private_key_jwt"
        return "basic" if self.client_secret else "none"

    def _assertion(self, client_id: str, url: str) -> dict[str, str]:
        signed = sign_jwt(
            self.private_key,
            {"iss": client_id, "sub": client_id, "aud": url},
            algorithm=self.algorithm,
            key_id=self.key_id,
            life=300,
        )
        return {
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": signed,
        }


def life_of(seconds: Any) -> float | None:
    """Return the life of a token in seconds; an hour where nothing usable is told."""
    try:
        life = float(seconds)
    except (TypeError, ValueError):
        return 3600.0
    return life if math.isfinite(life) and life > 0 else 3600.0


def refused(status: int, body: Mapping[str, Any]) -> CredentialsError | ApiAnswerError:
    """Return the error for an answer that brings no token (RFC 6749, section 5.2)."""
    code = body.get("error")
    said = " ".join(str(body.get(name) or "") for name in ("error", "error_description")).strip()
    told = f": {redact(said)[:_LONGEST_ANSWER]}" if isinstance(code, str) and said else ""
    message = f"The token endpoint gave no token ({status}){told.rstrip('.')}."
    if code == "invalid_grant":
        return GrantRefusedError(message)
    if isinstance(code, str) or status in (400, 401, 403):
        return CredentialsError(
            message, advice="Check client_id, client_secret, scopes and client_auth."
        )
    return ApiAnswerError(message, advice="Check token_url.")


def sign_jwt(  # noqa: PLR0913 (what is signed is given by name)
    key: str,
    claims: Mapping[str, Any],
    *,
    algorithm: str,
    key_id: str = "",
    life: float = 3600,
    now: float | None = None,
) -> str:
    """Return a signed JSON Web Token (RFC 7519) with `iat`, `exp` and a `jti` of its own.

    Args:
        key: PEM, JWK, or the secret of an HMAC algorithm; a reference to it as well.
        claims: what it says.
        algorithm: RS256, ES256, HS256, ...
        key_id: put into the header as `kid`, if it is not empty.
        life: seconds.
        now: epoch seconds.

    Raises:
        ConfigurationError: the key cannot be read or does not fit the algorithm.
    """
    from joserfc import jwk, jwt
    from joserfc.errors import JoseError

    issued = int(time.time() if now is None else now)
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    told = {"iat": issued, "exp": issued + int(life), "jti": secrets.token_urlsafe(24), **claims}
    text = resolve(key).replace("\\n", "\n")
    remember(text)
    kinds: dict[str, Any] = {"RS": jwk.RSAKey, "PS": jwk.RSAKey, "ES": jwk.ECKey, "Ed": jwk.OKPKey}
    kind = kinds.get(algorithm[:2], jwk.OctKey)
    try:
        signed = jwt.encode(header, told, kind.import_key(text), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"The private key cannot be used for {algorithm}: {type(error).__name__}.",
            advice="Give a PEM or JWK that fits `algorithm`, as ${env:NAME}.",
        ) from None
    remember(signed)
    return signed
