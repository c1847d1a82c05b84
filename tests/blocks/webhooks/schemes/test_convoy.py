from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from tests.contracts.signature import NOW, SeveralSignaturesContract, SignatureContract

from astrio.blocks.webhooks.schemes.base import Received
from astrio.blocks.webhooks.schemes.convoy import Convoy


class TestConvoy(SeveralSignaturesContract):
    scheme: ClassVar = Convoy()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-convoy-signature",)

    def many(self, count: int) -> Received:
        received = self.received()
        *others, (name, text) = received.headers
        time, right = text.split(b",")
        parts = [right, *[b"v1=00"] * (count - 1), time]
        return replace(received, headers=[*others, (name, b",".join(parts))])

    @pytest.mark.parametrize("text", [b"v1=00", b"t=1700000000", b"t=1,t=2,v1=00", b"00"])
    def test_pairs_that_lack_or_repeat_something_are_refused(self, text: bytes) -> None:
        received = self.received()
        changed = self.with_header(received, len(received.headers) - 1, text)
        assert not self.verdict(changed).accepted


class TestConvoySimple(SignatureContract):
    scheme: ClassVar = Convoy(style="simple", algorithm="sha512", encoding="base64")
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-convoy-signature",)
    timed: ClassVar = False  # type: ignore[assignment] # these settings have no clock

    def test_an_advanced_signature_is_no_simple_one_of_another_body(self) -> None:
        advanced, simple = Convoy(), Convoy(style="simple")
        sent = TestConvoy().received()
        signature = dict(sent.headers)[b"x-convoy-signature"].partition(b"v1=")[2]
        shifted = f"{NOW},".encode() + sent.body
        forged = Received("POST", sent.url, [(b"x-convoy-signature", signature)], shifted)
        assert simple.verify(forged, [self.secret], NOW).accepted  # why the style is not guessed
        assert not advanced.verify(forged, [self.secret], NOW).accepted
