"""`WebhookSource`: who may send events here, how they prove it, and how many they may send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from astrio.blocks.rates import check_rate
from astrio.blocks.webhooks.holding import HoldsSecrets
from astrio.blocks.webhooks.ranges.reading import networks_of
from astrio.blocks.webhooks.schemes.base import Scheme
from astrio.blocks.webhooks.schemes.choice import AnyScheme
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.snippet import normalised

_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_DAYS = 7


class WebhookSource(HoldsSecrets):
    """A vendor whose webhooks are received.

    `{path: /webhooks/shop, scheme: standard-webhooks, secret: "${env:SHOP_SECRET}", allow:
    [127.0.0.1/32], rate: 100/s}`; or as on the product page, `{endpoint, method, headers:
    {X-Webhook-Secret}, validation: signature}`, where the header's value is the secret.
    """

    title: ClassVar[str] = "webhook source"
    summary: ClassVar[str] = "A vendor whose webhooks are received: how they are verified."
    example: ClassVar[str] = "```yaml\nsource: {webhook: NAME}\n```"
    text_fields: ClassVar[tuple[str, ...]] = ("scheme", "secret")

    path: str = Field(
        default="",
        description="Where the requests arrive; /webhooks/ and the name if left out.",
    )
    method: str = Field(
        default="POST", pattern="^(POST|PUT|PATCH|GET)$", description="Method of the requests."
    )
    scheme: AnyScheme = Field(
        default_factory=StandardWebhooks,
        description="How they are signed: standard-webhooks, stripe, github, ..., or its settings "
        "as JSON, such as {type: hmac, header: X-Signature}.",
    )
    public_url: str = Field(
        default="",
        description="The URL as the vendor knows it, for schemes that sign it (Twilio, Mailchimp "
        "Transactional).",
    )
    allow: tuple[str, ...] = Field(
        default=(),
        description="Networks that requests may come from: 203.0.113.0/24, 2001:db8::/32, or the "
        "name of a vendor whose list is known, such as github; all if left out.",
    )
    rate: str = Field(
        default="", description="Most requests: 100/s, 1000/min; no limit of its own if left out."
    )
    burst: int = Field(
        default=0, ge=0, description="How many may come at once; 0: those of one second."
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, ge=1, le=64 * 1024 * 1024, description="Largest body, bytes."
    )
    content_type: str = Field(
        default="", description="The only content type that is taken; any if left out."
    )
    delivery_id: str = Field(
        default="",
        description="Where the id of a delivery is: `header:X-Id`, or a dotted path within a JSON "
        "body such as event.id. If left out: the scheme's own, else the body itself.",
    )
    keep_days: int = Field(
        default=_DAYS,
        ge=_DAYS,
        le=3660,
        description="Days that an event is kept, and a repeated one is recognised.",
    )

    @model_validator(mode="before")
    @classmethod
    def _snippet(cls, given: Any) -> Any:
        return normalised(given) if isinstance(given, Mapping) else given

    @field_validator("path")
    @classmethod
    def _plain_path(cls, text: str) -> str:
        if text and "${" not in text and not _PATH.fullmatch(text):
            raise ValueError("a path begins with / and holds no spaces, ? or #: /webhooks/shop")
        return text

    @field_validator("public_url")
    @classmethod
    def _whole_url(cls, text: str) -> str:
        if text and "${" not in text:
            parts = urlsplit(text)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.fragment:
                raise ValueError("write the whole URL: https://hooks.example.com/webhooks/shop")
        return text

    @field_validator("allow")
    @classmethod
    def _networks(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        for each in allowed:
            networks_of(each)
        return allowed

    @field_validator("rate")
    @classmethod
    def _readable(cls, text: str) -> str:
        return check_rate(text)

    @field_validator("delivery_id")
    @classmethod
    def _place(cls, text: str) -> str:
        header = text.removeprefix("header:")
        pattern = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+" if header != text else r"[^.\s]+(\.[^.\s]+)*"
        if text and not re.fullmatch(pattern, header):
            raise ValueError("write `header:NAME`, or a dotted path such as event.id")
        return text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.scheme.needs_secret and not self.secret:
            raise ValueError(
                "`secret` is missing: without it, anybody could send events; give ${env:NAME}"
            )
        return self

    def path_of(self, name: str) -> str:
        """Return the path of the source that is saved, or written out, under a name."""
        return self.path or f"/webhooks/{name}"

    @property
    def signing(self) -> Scheme:
        """What verifies the requests."""
        return self.scheme

    def networks(self, folder: Path | None = None) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks that requests may come from; none means all.

        Args:
            folder: where vendors' refreshed lists are kept.

        Raises:
            ConfigurationError: a refreshed list cannot be read.
        """
        return tuple(network for each in self.allow for network in networks_of(each, folder))

    def warnings(self) -> tuple[str, ...]:
        """Return what is accepted and yet not wise, as sentences."""
        if self.scheme.signed:
            return ()
        return (
            f"The scheme `{self.scheme.kind()}` does not sign the body: whoever has seen one "
            "request can send others; a signature is safer where the vendor offers one.",
        )
