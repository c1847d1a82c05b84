"""An API key in a header, a query parameter or a cookie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from astrio.blocks.auth.base import Auth, sendable
from astrio.blocks.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

# RFC 6265, cookie-octet.
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")


class ApiKeyAuth(Auth):
    """`{type: api_key, header: X-Api-Key, value: "${env:KEY}"}`, or `query:` or `cookie:`."""

    title: ClassVar[str] = "API key"
    summary: ClassVar[str] = "An API key, sent in a header, a query parameter or a cookie."
    secret_fields: ClassVar[tuple[str, ...]] = ("value",)

    type: Literal["api_key"] = "api_key"
    header: str | None = Field(
        default=None, min_length=1, description="Name of the header that carries it."
    )
    query: str | None = Field(
        default=None, min_length=1, description="Name of the query parameter that carries it."
    )
    cookie: str | None = Field(
        default=None, min_length=1, description="Name of the cookie that carries it."
    )
    value: str = Field(min_length=1, description="The key itself.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.header, self.query, self.cookie)) != 1:
            raise ValueError("give exactly one of header, query and cookie")
        return self

    def query_names(self) -> tuple[str, ...]:
        """Return the query parameter that carries the key."""
        return (self.query,) if self.query else ()

    def to_httpx_auth(self) -> httpx.Auth:
        """Set the header, the query parameter or the cookie."""
        from astrio.blocks import signing

        value = sendable(self.value, "API key")
        if self.header:
            return signing.SetHeaders({self.header: value})
        if self.query:
            return signing.SetQuery(self.query, value)
        if not _COOKIE_VALUE.fullmatch(value):
            raise ConfigurationError(
                "The API key holds a character that a cookie cannot carry (RFC 6265).",
                advice="Ask the vendor for a header or query parameter instead.",
            )
        return signing.AddCookie(self.cookie or "", value)
