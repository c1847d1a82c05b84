"""OAuth 2 with a refresh token that was had elsewhere (RFC 6749, section 6)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import sendable
from astrio.blocks.oauth2 import OAuth2Auth
from astrio.blocks.tokens import Token, TokenAnswer, TokenRequest


class RefreshTokenAuth(OAuth2Auth):
    """`{type: oauth2_refresh_token, token_url: …, client_id: …, refresh_token: "${env:TOKEN}"}`.

    The refresh token given here is the first one only; where the provider rotates it, the newest
    is kept in the token store. Giving another one here begins anew.
    """

    title: ClassVar[str] = "OAuth 2 refresh token"
    summary: ClassVar[str] = "OAuth 2 with a refresh token that was had elsewhere."
    secret_fields: ClassVar[tuple[str, ...]] = (*OAuth2Auth.secret_fields, "refresh_token")
    grows_from: ClassVar[tuple[str, ...]] = ("refresh_token",)
    lapses_unused: ClassVar[bool] = True

    type: Literal["oauth2_refresh_token"] = "oauth2_refresh_token"
    refresh_token: str = Field(min_length=1, description="The first refresh token.")

    def token_request(self, held: Token | None, now: float) -> TokenRequest:
        """Refresh with the newest refresh token."""
        return self.refresh(self._or_first(held, now))

    def at_risk(self, held: Token | None) -> bool:
        """Also the first refresh token may be good for one use only."""
        return super().at_risk(self._or_first(held, 0.0))

    def _or_first(self, held: Token | None, now: float) -> Token:
        if held is not None and held.refresh is not None:
            return held
        first = sendable(self.refresh_token, "refresh token")
        return Token(held.access if held else "", now, now, refresh=first)

    def read_token(self, answer: TokenAnswer, held: Token | None, now: float) -> Token:
        """Keep the first refresh token where the answer brings no other."""
        return super().read_token(answer, self._or_first(held, now), now)
