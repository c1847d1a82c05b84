"""No authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from astrio.blocks.auth.base import Auth

if TYPE_CHECKING:
    import httpx


class NoAuth(Auth):
    """`{type: none}`, the default."""

    title: ClassVar[str] = "no authentication"
    summary: ClassVar[str] = "Nothing is signed."

    type: Literal["none"] = "none"

    def to_httpx_auth(self) -> httpx.Auth | None:
        """Sign nothing."""
        return None
