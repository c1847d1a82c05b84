"""Hookdeck's Event Gateway (hookdeck.com/docs/authentication)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.webhooks.macs import macs, text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, optional, optional_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict


class Hookdeck(Scheme):
    """`scheme: hookdeck`: `X-Hookdeck-Signature`, base64, over the body.

    `X-Hookdeck-Signature-2` is the one of the other secret while it is being rotated. There is no
    timestamp, so only deduplication by `X-Hookdeck-EventId` holds replays back.
    """

    key_form: ClassVar[str] = "the project's signing secret"

    type: Literal["hookdeck"] = "hookdeck"
    prefix: str = Field(
        default="X-Hookdeck",
        pattern=r"^[A-Za-z0-9-]{1,100}$",
        description="What the headers' names begin with, if the project has another.",
    )

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by one or two headers."""
        prefix = self.prefix.lower().encode()
        given = [required(received.headers, prefix + b"-signature")]
        if second := optional(received.headers, prefix + b"-signature-2"):
            given.append(second)
        expected = macs(text_keys(secrets), received.body, encoding="base64")
        if not any_equal(expected, given):
            raise Refusal("signature")
        return Verdict(True, delivery_id=optional_id(received.headers, prefix + b"-eventid"))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the two newest secrets."""
        found = macs(text_keys(secrets), outgoing.body, encoding="base64")
        signatures = [each.decode() for each in found]
        if not signatures:
            raise ValueError("there is no secret to sign with")
        names = (f"{self.prefix}-Signature", f"{self.prefix}-Signature-2")
        identity = (f"{self.prefix}-EventId", outgoing.id)
        return [identity, *zip(names, signatures, strict=False)]
