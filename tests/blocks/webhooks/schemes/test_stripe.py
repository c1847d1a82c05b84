from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from tests.contracts.signature import SeveralSignaturesContract

from astrio.blocks.webhooks.schemes.base import Received
from astrio.blocks.webhooks.schemes.stripe import Stripe


class TestStripe(SeveralSignaturesContract):
    scheme: ClassVar = Stripe()
    secret: ClassVar = "whsec_canary_1"
    other: ClassVar = "whsec_canary_2"
    covered: ClassVar = ("stripe-signature",)
    body: ClassVar = b'{"id": "evt_1", "object": "event"}'
    id_expected: ClassVar = "evt_1"

    def many(self, count: int) -> Received:
        received = self.received()
        *others, (name, text) = received.headers
        time, right = text.split(b",")
        return replace(
            received, headers=[*others, (name, b",".join([time, *[b"v1=00"] * (count - 1), right]))]
        )

    @pytest.mark.parametrize("text", [b"v1=00", b"t=1700000000", b"t=1,t=2,v1=00", b"t"])
    def test_pairs_that_lack_or_repeat_something_are_refused(self, text: bytes) -> None:
        received = self.received()
        changed = self.with_header(received, len(received.headers) - 1, text)
        assert not self.verdict(changed).accepted

    @pytest.mark.parametrize(
        "body",
        [
            *(b"{}", b'{"id": 7}', b'{"id": ""}', b'{"id": "a b"}', b'{"id": "\xc3\xa9"}'),
            *(b'{"id": "' + b"x" * 257 + b'"}', b'{"id": "\xff"}', b"[1]", b'{"a": NaN}'),
            b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ],
    )
    def test_a_body_without_a_usable_id_has_none(self, body: bytes) -> None:
        verdict = self.verdict(self.received(body=body))
        assert verdict.accepted
        assert verdict.delivery_id is None
