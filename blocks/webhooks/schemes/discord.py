"""Discord's webhook events and interactions (docs.discord.com, Webhook Events)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks import ed25519
from astrio.blocks.webhooks.bodies import fields, text_field
from astrio.blocks.webhooks.reading import Refusal, check_fresh, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Reply, TimedScheme, Verdict

_KEY = re.compile(r"(private:)?([0-9a-f]{64})", re.IGNORECASE)
_SIGNATURE = re.compile(rb"[0-9a-f]{128}")


class Discord(TimedScheme):
    """`scheme: discord`: Ed25519 over timestamp and body, verified with the app's public key.

    The PING that Discord sends while a URL is entered is answered. For tests of your own,
    `private:` and the hexadecimal private key verifies too, and signs.
    """

    key_form: ClassVar[str] = "the application's public key, 64 hexadecimal digits"

    type: Literal["discord"] = "discord"

    def check_secret(self, secret: str) -> None:
        """Refuse what is no key."""
        super().check_secret(secret)
        if not _KEY.fullmatch(secret):
            raise ValueError("it is no key of 64 hexadecimal digits")
        ed25519.public_key(_public(secret))

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the two headers."""
        text = required(received.headers, b"x-signature-ed25519")
        timestamp = required(received.headers, b"x-signature-timestamp")
        check_fresh(timestamp, now, self.tolerance)
        if not _SIGNATURE.fullmatch(text):
            raise Refusal("signature")
        signature, content = bytes.fromhex(text.decode()), timestamp + received.body
        keys = [_public(secret) for secret in secrets]
        if not any(key and ed25519.is_signed(key, signature, content) for key in keys):
            raise Refusal("signature")
        return Verdict(
            True, delivery_id=text_field(received.body, "id"), reply=_ping(received.body)
        )

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest private key."""
        found = _KEY.fullmatch(next(iter(secrets), ""))
        if not found or not found[1]:
            raise ValueError("only a private key can sign: `private:` and 64 hexadecimal digits")
        content = str(outgoing.timestamp).encode() + outgoing.body
        signature = ed25519.private_key(bytes.fromhex(found[2])).sign(content)
        return [
            ("X-Signature-Timestamp", str(outgoing.timestamp)),
            ("X-Signature-Ed25519", signature.hex()),
        ]


def _public(secret: str) -> bytes:
    """Return the bytes of the public key, empty if it is none."""
    found = _KEY.fullmatch(secret)
    if not found:
        return b""
    raw = bytes.fromhex(found[2])
    return ed25519.public_of(ed25519.private_key(raw)) if found[1] else raw


def _ping(body: bytes) -> Reply | None:
    """Answer a PING: type 0 of a webhook event, type 1 of an interaction."""
    if len(body) > 10_000:
        return None
    found = fields(body, "type", "event")
    kind = found.get("type")
    if isinstance(kind, bool) or "event" in found:
        return None
    if kind == 0:
        return Reply(204, content_type=b"application/json")
    return Reply(200, b'{"type":1}', b"application/json") if kind == 1 else None
