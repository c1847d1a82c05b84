"""Shopify (shopify.dev/docs/apps/build/webhooks/verify-deliveries)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.webhooks.macs import mac, macs, text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, optional_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict
from astrio.blocks.webhooks.schemes.secret import HEADER_NAME


class Shopify(Scheme):
    """`scheme: shopify`: `X-Shopify-Hmac-Sha256`, base64, over the body.

    There is no timestamp, so only deduplication holds replays back. The id is that of the
    delivery; `id_header: X-Shopify-Event-Id` tells deliveries of one event through several
    subscriptions to be the same, which loses events where several topics come to one source.
    """

    key_form: ClassVar[str] = "the app's client secret"

    type: Literal["shopify"] = "shopify"
    id_header: str = Field(
        default="X-Shopify-Webhook-Id", pattern=HEADER_NAME, description="Header of the id."
    )

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the header."""
        given = required(received.headers, b"x-shopify-hmac-sha256")
        expected = macs(text_keys(secrets), received.body, encoding="base64")
        if not any_equal(expected, [given]):
            raise Refusal("signature")
        name = self.id_header.lower().encode()
        return Verdict(True, delivery_id=optional_id(received.headers, name))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest secret."""
        signature = mac(next(iter(secrets), ""), outgoing.body, "sha256", "base64")
        return [(self.id_header, outgoing.id), ("X-Shopify-Hmac-Sha256", signature)]
