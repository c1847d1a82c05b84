"""Requests signed with a shared secret, the way the vendor wants it (RFC 2104)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from astrio.blocks.auth.base import Auth
from astrio.blocks.canonical import check_template
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    import httpx

_BEFORE = ("key_id", "timestamp", "nonce")
_AFTER = (*_BEFORE, "signature", "basic")


class HmacAuth(Auth):
    """`{type: hmac, secret: "${env:SECRET}", headers: {X-Signature: "{{signature}}", …}}`.

    `canonical` is what is signed. It, and the headers and query parameters to set, are texts with
    `{{method}}`, `{{path}}`, `{{query}}`, `{{body_sha256}}`, `{{header.NAME}}` and the like. What
    does not hold the signature is set before signing, so that it can be signed too.
    """

    title: ClassVar[str] = "HMAC signature"
    summary: ClassVar[str] = "Each request is signed with a shared secret, as the vendor wants it."
    secret_fields: ClassVar[tuple[str, ...]] = ("secret",)

    type: Literal["hmac"] = "hmac"
    secret: str = Field(min_length=1, description="The shared secret.")
    secret_encoding: Literal["text", "hex", "base64"] = Field(
        default="text", description="How the secret is written."
    )
    key_id: str = Field(default="", description="Names the secret to the vendor: {{key_id}}.")
    algorithm: Literal["sha256", "sha1", "sha384", "sha512", "md5"] = Field(
        default="sha256", description="The hash."
    )
    canonical: str = Field(
        default="{{method}}\n{{path}}\n{{query}}\n{{timestamp}}\n{{nonce}}\n{{body_sha256}}",
        description="What is signed; the default has method, path, query, timestamp, nonce and "
        "the SHA-256 of the body, each in a line.",
    )
    encoding: Literal["hex", "base64"] = Field(
        default="hex", description="How the signature is written."
    )
    timestamp: Literal["epoch", "epoch_ms", "iso", "iso_ms", "http"] = Field(
        default="epoch", description="How {{timestamp}} is written."
    )
    headers: dict[str, str] = Field(
        default_factory=lambda: {
            "X-Key": "{{key_id}}",
            "X-Timestamp": "{{timestamp}}",
            "X-Nonce": "{{nonce}}",
            "X-Signature": "{{signature}}",
        },
        description="Headers to set, such as Authorization: HMAC {{key_id}}:{{signature}}.",
    )
    query: dict[str, str] = Field(
        default_factory=dict, description="Query parameters to set, where the vendor wants those."
    )

    @field_validator("canonical")
    @classmethod
    def _known_before(cls, template: str) -> str:
        return check_template(template, _BEFORE)

    @field_validator("headers", "query")
    @classmethod
    def _known_after(cls, templates: dict[str, str]) -> dict[str, str]:
        for template in templates.values():
            check_template(template, _AFTER)
        return templates

    def query_names(self) -> tuple[str, ...]:
        """Return the query parameters that carry time and signature."""
        return tuple(self.query)

    def to_httpx_auth(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> httpx.Auth:
        """Sign each attempt anew.

        Args:
            now: tells the time.
            nonce: gives a text that was never given before.
        """
        from astrio.blocks.hmac_signing import HmacSigner, Scheme

        key_id = resolve(self.key_id)
        if not (key_id.isascii() and key_id.isprintable()):
            raise ConfigurationError("The key_id holds a character that a request cannot carry.")
        scheme = Scheme(
            self.algorithm,
            self.canonical,
            self.encoding,
            self.timestamp,
            self.headers,
            self.query,
        )
        return HmacSigner(scheme, key_id, self._key(), now=now, nonce=nonce)

    def _key(self) -> bytes:
        secret = resolve(self.secret)
        remember(secret)
        decoders: dict[str, Callable[[str], bytes]] = {
            "text": str.encode,
            "hex": bytes.fromhex,
            "base64": lambda text: base64.b64decode(text, validate=True),
        }
        try:
            return decoders[self.secret_encoding](secret)
        except ValueError:
            raise ConfigurationError(
                f"The secret of an hmac authentication is not written in {self.secret_encoding}.",
                advice="Copy it whole, or set secret_encoding.",
            ) from None
