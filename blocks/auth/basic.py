"""User name and password (RFC 7617)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    import httpx


class BasicAuth(Auth):
    """`{type: basic, username: ada, password: "${env:PASSWORD}"}`.

    Some vendors take an API key as the user name and no password; then it is the secret.
    """

    title: ClassVar[str] = "basic authentication"
    summary: ClassVar[str] = "User name and password (RFC 7617)."
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)
    sometimes_secret: ClassVar[tuple[str, ...]] = ("username",)

    type: Literal["basic"] = "basic"
    username: str = Field(
        min_length=1, description="User name, or an API key where the vendor takes one instead."
    )
    password: str = Field(default="", description="Empty where the user name is the key.")

    def held_secrets(self) -> tuple[str, ...]:
        """Return the password, or the user name where it stands alone."""
        return ("password",) if self.password else ("username",)

    def to_httpx_auth(self) -> httpx.Auth:
        """Set the Authorization header, in UTF-8."""
        from astrio.blocks.signing import SetHeaders

        username, password = resolve(self.username), resolve(self.password)
        if ":" in username:
            raise ConfigurationError(
                "The user name of a basic authentication cannot hold a colon.",
                advice="Give user name and password in their own fields.",
            )
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        for secret in (encoded, password or username):
            remember(secret)
        return SetHeaders({"Authorization": f"Basic {encoded}"})
