"""A secret in a header: whoever has seen one request can send others, so prefer a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from astrio.blocks.webhooks.macs import text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, optional_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict

HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$"  # RFC 9110, token


class Secret(Scheme):
    """`scheme: secret`, or `{type: secret, header: X-Token}`: the secret itself in a header."""

    type: Literal["secret"] = "secret"
    header: str = Field(
        default="X-Webhook-Secret", pattern=HEADER_NAME, description="Header that holds it."
    )
    prefix: str = Field(default="", description="What stands before it, such as `Bearer `.")
    id_header: str = Field(
        default="", pattern=rf"^$|{HEADER_NAME}", description="Header of the delivery's id, if any."
    )

    @property
    def signed(self) -> bool:
        """The body is not proved."""
        return False

    def check_secret(self, secret: str) -> None:
        """Refuse what cannot stand in a header."""
        super().check_secret(secret)
        if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            raise ValueError("the secret holds characters that a header cannot carry")

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the header."""
        given = required(received.headers, self.header.lower().encode())
        expected = [self.prefix.encode() + key for key in text_keys(secrets)]
        if not any_equal(expected, [given]):
            raise Refusal("signature")
        name = self.id_header.lower().encode()
        return Verdict(True, delivery_id=optional_id(received.headers, name) if name else None)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Send the newest secret."""
        if not secrets or not secrets[0]:
            raise ValueError("there is no secret to send")
        identity = [(self.id_header, outgoing.id)] if self.id_header else []
        return [*identity, (self.header, f"{self.prefix}{secrets[0]}")]
