"""User name and password (RFC 7617): nothing is signed, so prefer a signature."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks.macs import text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict


class Basic(Scheme):
    """`scheme: basic`: the secret is `user:password`, as in the URL that the vendor was given."""

    key_form: ClassVar[str] = "`user:password`"

    type: Literal["basic"] = "basic"

    @property
    def signed(self) -> bool:
        """The body is not proved."""
        return False

    def check_secret(self, secret: str) -> None:
        """Refuse what is no `user:password`."""
        super().check_secret(secret)
        if not secret.partition(":")[2]:
            raise ValueError("it is no `user:password`")

    def hidden(self, secret: str) -> tuple[str, ...]:
        """Hide the password by itself, too."""
        return (secret, secret.partition(":")[2])

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the Authorization header."""
        given = required(received.headers, b"authorization")
        word, _, credentials = given.partition(b" ")
        fits = any_equal(map(base64.b64encode, text_keys(secrets)), [credentials])
        if not fits or word.lower() != b"basic":
            raise Refusal("signature")
        return Verdict(True)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:  # noqa: ARG002 (one shape for all)
        """Send the newest user and password."""
        if not secrets or not secrets[0]:
            raise ValueError("there is no user and password to send")
        return [("Authorization", f"Basic {base64.b64encode(secrets[0].encode()).decode()}")]
