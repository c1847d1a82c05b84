"""OAuth 2 for a machine that acts for itself (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import ClassVar, Literal

from astrio.blocks.oauth2 import OAuth2Auth
from astrio.blocks.tokens import Token, TokenRequest


class ClientCredentialsAuth(OAuth2Auth):
    """`{type: oauth2_client_credentials, token_url: …, client_id: …, client_secret: "${env:S}"}`.

    A token is asked for anew each time it has lapsed, shared by all runs of the same client.
    """

    title: ClassVar[str] = "OAuth 2 client credentials"
    summary: ClassVar[str] = "OAuth 2 for a machine that acts for itself (RFC 6749, 4.4)."
    told_apart_by: ClassVar[tuple[str, ...]] = (*OAuth2Auth.told_apart_by, "scopes", "params")
    grows_from: ClassVar[tuple[str, ...]] = ("client_secret", "private_key")

    type: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"

    def token_request(self, held: Token | None, now: float) -> TokenRequest:  # noqa: ARG002 (one shape for all)
        """Ask for a token."""
        return self.grant(grant_type="client_credentials", scope=self.scope())

    def at_risk(self, held: Token | None) -> bool:  # noqa: ARG002 (one shape for all)
        """A lost answer is asked for again."""
        return False
