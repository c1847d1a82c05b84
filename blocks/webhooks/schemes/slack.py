"""Slack (docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks.bodies import fields, text_field
from astrio.blocks.webhooks.macs import mac, macs, text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, check_fresh, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Reply, TimedScheme, Verdict


class Slack(TimedScheme):
    """`scheme: slack`: `X-Slack-Signature: v0=…` over `v0:timestamp:body`.

    The challenge that Slack sends while a URL is entered (`url_verification`) is answered. The id
    is the `event_id` of the Events API.
    """

    key_form: ClassVar[str] = "the app's signing secret"

    type: Literal["slack"] = "slack"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the two headers."""
        given = required(received.headers, b"x-slack-signature")
        timestamp = required(received.headers, b"x-slack-request-timestamp")
        check_fresh(timestamp, now, self.tolerance)
        content = b"v0:%b:%b" % (timestamp, received.body)
        expected = (b"v0=" + each for each in macs(text_keys(secrets), content))
        if not any_equal(expected, [given]):
            raise Refusal("signature")
        return Verdict(
            True,
            delivery_id=text_field(received.body, "event_id"),
            reply=_challenged(received.body),
        )

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest secret."""
        content = f"v0:{outgoing.timestamp}:".encode() + outgoing.body
        signature = mac(next(iter(secrets), ""), content, "sha256", "hex")
        return [
            ("X-Slack-Request-Timestamp", str(outgoing.timestamp)),
            ("X-Slack-Signature", f"v0={signature}"),
        ]


def _challenged(body: bytes) -> Reply | None:
    if b"url_verification" not in body:
        return None
    found = fields(body, "type", "challenge")
    challenge = found.get("challenge")
    if found.get("type") != "url_verification" or not isinstance(challenge, str):
        return None
    return Reply(200, challenge.encode())
