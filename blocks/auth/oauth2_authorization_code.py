"""OAuth 2 for somebody who has to agree: authorization code with PKCE (RFC 6749 4.1, RFC 7636)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.oauth2 import OAuth2Auth
from astrio.blocks.tokens import Token, TokenRequest


class AuthorizationCodeAuth(OAuth2Auth):
    """`{type: oauth2_authorization_code, authorization_url: …, token_url: …, client_id: …}`.

    `astrio connections authorize NAME` asks for the consent, once.
    """

    title: ClassVar[str] = "OAuth 2 authorization code"
    summary: ClassVar[str] = (
        "OAuth 2 for somebody who has to agree, with PKCE; run `astrio connections authorize NAME`."
    )
    lapses_unused: ClassVar[bool] = True

    type: Literal["oauth2_authorization_code"] = "oauth2_authorization_code"
    authorization_url: str = Field(description="The page where the owner agrees.")
    redirect_uri: str = Field(
        default="",
        description="As registered at the provider; a free port of 127.0.0.1 if left out.",
    )
    issuer: str = Field(
        default="", description="The provider's issuer, which its answer is checked for (RFC 9207)."
    )
    authorization_params: dict[str, str] = Field(
        default_factory=dict, description="More parameters of that page: access_type, prompt, ..."
    )

    def token_request(self, held: Token | None, now: float) -> TokenRequest:  # noqa: ARG002 (one shape for all)
        """Refresh."""
        return self.refresh(held)
