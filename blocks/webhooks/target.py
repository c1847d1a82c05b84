"""`WebhookTarget`: where events are sent to, how they are signed, and how often it is tried."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from astrio.blocks.api import check_hosts
from astrio.blocks.literals import mask_named, mask_password, remember_named, remember_password
from astrio.blocks.rates import check_rate
from astrio.blocks.settings import Settings
from astrio.blocks.webhooks.holding import HoldsSecrets
from astrio.blocks.webhooks.schemes.base import Scheme
from astrio.blocks.webhooks.schemes.choice import AnyScheme
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks

MINUTE, HOUR = 60.0, 3600.0
# The example schedule of Standard Webhooks 1.0.0: 75.6 hours in all.
_DELAYS = (
    *(0.0, 5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR),
    *(5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)


class DeliveryRetry(Settings):
    """When a delivery that failed is tried again: by a list of delays, or by a growing one."""

    delays: tuple[float, ...] = Field(
        default=_DELAYS,
        min_length=1,
        max_length=100,
        description="Seconds before each attempt, the first included: 0, 5, 300, 1800.",
    )
    max_retries: int | None = Field(
        default=None, ge=0, le=100, description="Attempts after the first; then not by `delays`."
    )
    retry_delay: float = Field(
        default=1000, gt=0, description="Milliseconds before the first of them."
    )
    backoff_multiplier: float = Field(
        default=2, ge=1, description="By how much each wait is longer than the one before."
    )
    retry_on_status: tuple[int, ...] | None = Field(
        default=None,
        description="Statuses after which it is tried again, beside 429, 503 and no answer; all "
        "failures if left out.",
    )
    jitter: float = Field(
        default=0.2, ge=0, le=1, description="Share by which each wait is varied at random."
    )

    def schedule(self) -> tuple[float, ...]:
        """Return the seconds before each attempt, the first included."""
        if self.max_retries is None:
            return self.delays
        growing = range(self.max_retries)
        first = self.retry_delay / 1000
        return (0.0, *(first * self.backoff_multiplier**power for power in growing))


class WebhookTarget(HoldsSecrets):
    """A receiver of events.

    `{url: https://example.com/hooks, secret: "${env:HOOK_SECRET}"}`.
    """

    title: ClassVar[str] = "webhook target"
    summary: ClassVar[str] = "A receiver of events: where it is, how deliveries are signed."
    example: ClassVar[str] = "```yaml\npush: {to: {webhook: NAME}}\n```"
    secret_fields: ClassVar[tuple[str, ...]] = ("secret", "url", "headers")
    text_fields: ClassVar[tuple[str, ...]] = ("scheme", "secret")

    url: str = Field(min_length=1, description="https:// URL that each event is posted to.")
    scheme: AnyScheme | None = Field(
        default=None,
        description="How they are signed; standard-webhooks if there is a secret, else not at all.",
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with each delivery.")
    method: str = Field(
        default="POST", pattern="^(POST|PUT|PATCH)$", description="POST, PUT or PATCH."
    )
    content_type: str = Field(
        default="application/json",
        pattern=r"^[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?$",
        description="Of the body: JSON, application/x-www-form-urlencoded or text/plain.",
    )
    timeout: float = Field(
        default=20, gt=0, le=300, description="Seconds that an attempt may take in all."
    )
    rate: str = Field(default="", description="Most deliveries: 50/s, 100/min.")
    concurrency: int = Field(default=10, ge=1, le=256, description="Deliveries under way at once.")
    allow_private_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts of your own network that may be reached."
    )
    retry: DeliveryRetry = Field(
        default_factory=DeliveryRetry, description="When a delivery that failed is tried again."
    )

    def model_post_init(self, context: Any, /) -> None:
        """Let no message show a literal secret."""
        super().model_post_init(context)
        remember_named(self.headers)
        remember_password(self.url)

    @field_serializer("headers")
    def _mask_headers(self, headers: dict[str, str], info: SerializationInfo) -> dict[str, str]:
        return mask_named(headers, info)

    @field_serializer("url")
    def _mask_url(self, url: str, info: SerializationInfo) -> str:
        return mask_password(url, info)

    @field_validator("url")
    @classmethod
    def _whole_url(cls, text: str) -> str:
        if "${" not in text:
            check_target_url(text)
        return text

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not (name.isascii() and name.isprintable() and value.isprintable()):
                raise ValueError("a header holds a line break or another control character")
        return headers

    @field_validator("rate")
    @classmethod
    def _readable(cls, text: str) -> str:
        return check_rate(text)

    @field_validator("allow_private_hosts")
    @classmethod
    def _only_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return check_hosts(hosts)

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.scheme is None:
            return self
        if not self.scheme.signs:
            raise ValueError("only the vendor itself can sign by this scheme")
        if self.scheme.needs_secret and not self.secret:
            raise ValueError("`secret` is missing: there is nothing to sign with")
        return self

    @property
    def signing(self) -> Scheme | None:
        """What signs the deliveries, None if nothing does."""
        return self.scheme or (StandardWebhooks() if self.secret else None)

    def warnings(self) -> tuple[str, ...]:
        """Return what is accepted and yet not wise, as sentences."""
        if self.signing:
            return ()
        return ("Deliveries are not signed: the receiver cannot tell them from forged ones.",)


def check_target_url(text: str) -> None:
    """Refuse what is no URL that can be posted to.

    Raises:
        ValueError: the message says what is wrong, without repeating the URL.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a target's URL begins with https:// (or http://) and a host")
    if "@" in parts.netloc:
        raise ValueError("a target's URL holds no user and password; use `headers`")
    if not text.isascii() or not text.isprintable() or " " in text or parts.fragment:
        raise ValueError("a target's URL holds a character that has to be percent-encoded")
