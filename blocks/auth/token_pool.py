"""Several tokens of one kind, each with a quota of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth, sendable

if TYPE_CHECKING:
    import httpx


class TokenPoolAuth(Auth):
    """`{type: token_pool, tokens: {first: "${env:A}", second: "${env:B}"}}`.

    The next request is signed with the token that has most of its quota left, as the API's
    rate-limit headers tell; a request that is refused for want of quota is sent once more with
    each other token that still has some.
    """

    title: ClassVar[str] = "token pool"
    summary: ClassVar[str] = "Several tokens, used by what is left of each one's quota."
    secret_fields: ClassVar[tuple[str, ...]] = ("tokens",)

    paces_itself: ClassVar[bool] = True

    type: Literal["token_pool"] = "token_pool"
    tokens: dict[str, str] = Field(min_length=1, description="The tokens, by names of your own.")
    header: str = Field(default="Authorization", description="Header that carries one.")
    scheme: str = Field(default="Bearer", description="The word before it; may be empty.")

    def to_httpx_auth(self) -> httpx.Auth:
        """Set the header."""
        from astrio.blocks.pool import TokenPool

        values = [sendable(token, f"token {name}") for name, token in self.tokens.items()]
        return TokenPool(self.header, [f"{self.scheme} {value}".strip() for value in values])
