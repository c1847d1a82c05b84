"""User name and password, never sent in clear (RFC 7616)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    import httpx

_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


class DigestAuth(Auth):
    """`{type: digest, username: ada, password: "${env:PASSWORD}"}`."""

    title: ClassVar[str] = "digest authentication"
    summary: ClassVar[str] = "User name and password, sent as a digest (RFC 7616)."
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    type: Literal["digest"] = "digest"
    username: str = Field(min_length=1, description="User name.")
    password: str = Field(min_length=1, description="Password; only its digest is sent.")

    def to_httpx_auth(self) -> httpx.Auth:
        """Answer the server's challenge, and use its nonce for the requests that follow."""
        from astrio.blocks.body_signing import ChallengedDigest

        username, password = resolve(self.username), resolve(self.password)
        remember(password)
        if not _QUOTABLE.fullmatch(username):
            raise ConfigurationError(
                "The user name of a digest authentication holds a character that it cannot carry.",
                advice="Use printable ASCII without quotes and backslashes.",
            )
        return ChallengedDigest(username, password)
