"""SendGrid's Event Webhook (twilio.com/docs/sendgrid, security features of the event webhook)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks import ecdsa
from astrio.blocks.webhooks.reading import Refusal, check_fresh, decoded, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict

_NAME = "X-Twilio-Email-Event-Webhook"
_SIGNATURE, _TIMESTAMP = f"{_NAME}-Signature", f"{_NAME}-Timestamp"


class SendGrid(TimedScheme):
    """`scheme: sendgrid`: ECDSA over timestamp and body, verified with the public key.

    The body is a list of events, so a delivery has no id of its own. A private key in PEM verifies
    too, and signs: for tests of your own.
    """

    key_form: ClassVar[str] = "the verification key, base64 (a private key in PEM to sign)"

    type: Literal["sendgrid"] = "sendgrid"

    def check_secret(self, secret: str) -> None:
        """Refuse what is no key."""
        super().check_secret(secret)
        ecdsa.public_key(secret)

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the two headers."""
        signature = decoded(required(received.headers, _SIGNATURE.lower().encode()))
        timestamp = required(received.headers, _TIMESTAMP.lower().encode())
        check_fresh(timestamp, now, self.tolerance)
        content = timestamp + received.body
        if not signature or not any(ecdsa.is_signed(key, signature, content) for key in secrets):
            raise Refusal("signature")
        return Verdict(True)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest private key."""
        content = str(outgoing.timestamp).encode() + outgoing.body
        signature = base64.b64encode(ecdsa.signature(next(iter(secrets), ""), content))
        return [(_TIMESTAMP, str(outgoing.timestamp)), (_SIGNATURE, signature.decode())]
