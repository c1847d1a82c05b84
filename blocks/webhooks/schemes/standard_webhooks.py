"""Standard Webhooks 1.0.0 (standardwebhooks.com)."""

from __future__ import annotations

from typing import ClassVar, Literal

from astrio.blocks.webhooks.standard import StandardScheme


class StandardWebhooks(StandardScheme):
    """`scheme: standard-webhooks`: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

    prefix: ClassVar[str] = "webhook"

    type: Literal["standard-webhooks"] = "standard-webhooks"
