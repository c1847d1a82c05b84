"""OAuth 2 for machines without a browser: device code (RFC 8628)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.oauth2 import OAuth2Auth
from astrio.blocks.tokens import Token, TokenRequest


class DeviceCodeAuth(OAuth2Auth):
    """`{type: oauth2_device_code, device_authorization_url: …, token_url: …, client_id: …}`.

    `astrio connections authorize NAME` shows a code to enter on any other device, once.
    """

    title: ClassVar[str] = "OAuth 2 device code"
    summary: ClassVar[str] = (
        "OAuth 2 by a code that is entered on another device; run `astrio connections authorize "
        "NAME`."
    )
    lapses_unused: ClassVar[bool] = True

    type: Literal["oauth2_device_code"] = "oauth2_device_code"
    device_authorization_url: str = Field(description="Where the code is asked for.")

    def token_request(self, held: Token | None, now: float) -> TokenRequest:  # noqa: ARG002 (one shape for all)
        """Refresh."""
        return self.refresh(held)
