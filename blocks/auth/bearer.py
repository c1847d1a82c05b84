"""A bearer token (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth, sendable

if TYPE_CHECKING:
    import httpx


class BearerAuth(Auth):
    """`{type: bearer, token: "${env:TOKEN}"}` sends `Authorization: Bearer …`."""

    title: ClassVar[str] = "bearer token"
    summary: ClassVar[str] = "A token, sent as `Authorization: Bearer …` (RFC 6750)."
    secret_fields: ClassVar[tuple[str, ...]] = ("token",)

    type: Literal["bearer"] = "bearer"
    token: str = Field(min_length=1, description="The token, without the word Bearer.")

    def to_httpx_auth(self) -> httpx.Auth:
        """Set the Authorization header."""
        from astrio.blocks.signing import SetHeaders

        return SetHeaders({"Authorization": f"Bearer {sendable(self.token, 'bearer token')}"})
