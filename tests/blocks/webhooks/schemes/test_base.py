from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict
from astrio.blocks.webhooks.schemes.choice import scheme_names


class Faulty(Scheme):
    type: Literal["faulty"] = "faulty"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        raise ArithmeticError

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        return []


def test_a_fault_of_a_scheme_refuses_the_request() -> None:
    received = Received("POST", "https://x.example", [], b"")
    assert Faulty().verify(received, [], 0.0) == Verdict(False, "malformed")


def test_every_scheme_is_found_by_its_name() -> None:
    assert scheme_names() == [
        *("basic", "convoy", "discord", "github", "hmac", "hookdeck", "jwt", "mailchimp"),
        *("mailchimp-transactional", "mtls", "paypal", "secret", "sendgrid", "shopify", "slack"),
        *("standard-webhooks", "stripe", "svix", "twilio"),
    ]
