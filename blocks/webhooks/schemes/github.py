"""GitHub (docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks.macs import mac, macs, text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, optional_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict


class GitHub(Scheme):
    """`scheme: github`: `X-Hub-Signature-256: sha256=…` over the body.

    There is no timestamp, so only deduplication by `X-GitHub-Delivery` holds replays back.
    """

    key_form: ClassVar[str] = "the webhook's secret"

    type: Literal["github"] = "github"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the header."""
        given = required(received.headers, b"x-hub-signature-256")
        expected = (b"sha256=" + each for each in macs(text_keys(secrets), received.body))
        if not any_equal(expected, [given]):
            raise Refusal("signature")
        return Verdict(True, delivery_id=optional_id(received.headers, b"x-github-delivery"))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest secret."""
        signature = mac(next(iter(secrets), ""), outgoing.body, "sha256", "hex")
        return [
            ("X-GitHub-Delivery", outgoing.id),
            ("X-Hub-Signature-256", f"sha256={signature}"),
        ]
