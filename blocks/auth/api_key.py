"""An API key in a header, a query parameter, a cookie or the body."""

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
    """`{type: api_key, header: X-Api-Key, value: "${env:KEY}"}`; or query, cookie or body."""

    title: ClassVar[str] = "API key"
    summary: ClassVar[str] = (
        "An API key, sent in a header, a query parameter, a cookie or the body."
    )
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
    body: str | None = Field(
        default=None,
        pattern=r"^[^.]+(\.[^.]+)*$",
        description="Name of the field of a JSON or form body that carries it; in JSON a dotted "
        "path.",
    )
    value: str = Field(min_length=1, description="The key itself.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = (self.header, self.query, self.cookie, self.body)
        if sum(place is not None for place in places) != 1:
            raise ValueError("give exactly one of header, query, cookie and body")
        return self

    def query_names(self) -> tuple[str, ...]:
        """Return the query parameter that carries the key."""
        return (self.query,) if self.query else ()

    def to_httpx_auth(self) -> httpx.Auth:
        """Set the header, the query parameter, the cookie or the field of the body."""
        from astrio.blocks import signing

        value = sendable(self.value, "API key")
        if self.header:
            return signing.SetHeaders({self.header: value})
        if self.query:
            return signing.SetQuery(self.query, value)
        if self.body:
            from astrio.blocks.body_signing import SetBodyField

            return SetBodyField(self.body, value)
        if not _COOKIE_VALUE.fullmatch(value):
            raise ConfigurationError(
                "The API key holds a character that a cookie cannot carry (RFC 6265).",
                advice="Ask the vendor for a header or query parameter instead.",
            )
        return signing.AddCookie(self.cookie or "", value)
