"""Stripe (docs.stripe.com/webhooks/signature)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks.bodies import text_field
from astrio.blocks.webhooks.macs import macs, text_keys
from astrio.blocks.webhooks.reading import (
    Refusal,
    any_equal,
    at_most,
    check_fresh,
    only,
    pairs,
    required,
)
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict


class Stripe(TimedScheme):
    """`scheme: stripe`: `Stripe-Signature: t=…,v1=…`, several `v1` while a secret is rolled.

    The secret is used as the text that it is, `whsec_` included. The event's own `id` is the id.
    """

    key_form: ClassVar[str] = "the endpoint's signing secret, `whsec_` included"

    type: Literal["stripe"] = "stripe"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the header."""
        found = pairs(required(received.headers, b"stripe-signature"))
        timestamp = only(found.get(b"t", []))
        check_fresh(timestamp, now, self.tolerance)
        given = at_most(found.get(b"v1", []))
        content = b"%b.%b" % (timestamp, received.body)
        if not any_equal(macs(text_keys(secrets), content), given):
            raise Refusal("signature")
        return Verdict(True, delivery_id=text_field(received.body, "id"))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with every secret."""
        content = f"{outgoing.timestamp}.".encode() + outgoing.body
        signatures = [f"v1={each.decode()}" for each in macs(text_keys(secrets), content)]
        if not signatures:
            raise ValueError("there is no secret to sign with")
        return [("Stripe-Signature", ",".join([f"t={outgoing.timestamp}", *signatures]))]
