"""Own headers, for APIs that want several, or an Authorization scheme of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth, sendable

if TYPE_CHECKING:
    import httpx


class HeadersAuth(Auth):
    """`{type: headers, headers: {X-App-Id: "${env:APP_ID}", X-App-Key: "${env:APP_KEY}"}}`."""

    title: ClassVar[str] = "headers"
    summary: ClassVar[str] = (
        "Headers of your own, for APIs that want several keys or a scheme of their own."
    )
    secret_fields: ClassVar[tuple[str, ...]] = ("headers",)

    type: Literal["headers"] = "headers"
    headers: dict[str, str] = Field(min_length=1, description="Header names and their values.")

    def to_httpx_auth(self) -> httpx.Auth:
        """Set each header."""
        from astrio.blocks.signing import SetHeaders

        return SetHeaders(
            {name: sendable(value, f"header {name}") for name, value in self.headers.items()}
        )
