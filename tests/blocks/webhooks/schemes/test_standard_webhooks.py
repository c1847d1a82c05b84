from __future__ import annotations

import base64
from dataclasses import replace
from typing import ClassVar

import pytest
from tests.contracts.signature import BODY, ID, NOW, SeveralSignaturesContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
OTHER_KEY = "whsk_" + base64.b64encode(bytes(range(32))).decode()


class TestStandardWebhooks(SeveralSignaturesContract):
    scheme: ClassVar = StandardWebhooks()
    secret: ClassVar = SECRET
    other: ClassVar = "whsec_" + base64.b64encode(b"o" * 24).decode()
    covered: ClassVar = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id_expected: ClassVar = ID
    separator: ClassVar = b" "

    def many(self, count: int) -> Received:
        received = self.received()
        *others, (name, right) = received.headers
        wrong = b"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " * (count - 1)
        return replace(received, headers=[*others, (name, wrong + right)])

    @pytest.mark.parametrize("identity", ["a.b", "a b", "x" * 257, "é", "a\nb"])
    def test_an_id_that_could_shift_what_is_signed_is_refused(self, identity: str) -> None:
        received = self.received()
        place = [name for name, _ in received.headers].index(self.covered[0].encode())
        changed = self.with_header(received, place, identity.encode())
        assert self.verdict(changed).reason == "malformed"
        with pytest.raises(ValueError, match="id of a delivery"):
            self.scheme.sign(Outgoing(identity, NOW, "https://x.example", b""), [SECRET])

    def test_an_id_of_256_characters_is_accepted(self) -> None:
        outgoing = Outgoing("x" * 256, NOW, self.url, BODY)
        signed = self.scheme.sign(outgoing, [self.secret])
        headers = [(name.encode(), value.encode()) for name, value in signed]
        assert self.verdict(Received("POST", self.url, headers, BODY)).delivery_id == "x" * 256

    @pytest.mark.parametrize(
        "secret",
        ["whsec_c2hvcnQ=", "whsec_", "whsec_###", "whpk_c2hvcnQ=", "whsk_c2hvcnQ=", "whsk_é"],
    )
    def test_what_is_no_key_is_told_without_repeating_it(self, secret: str) -> None:
        with pytest.raises(ValueError, match=r"bytes|base64|empty") as caught:
            self.scheme.check_secret(secret)
        assert secret not in str(caught.value)

    def test_halves_of_a_private_key_that_do_not_belong_together_are_refused(self) -> None:
        mixed = "whsk_" + base64.b64encode(bytes(range(32)) + bytes(32)).decode()
        with pytest.raises(ValueError, match="64 with its public key"):
            self.scheme.check_secret(mixed)
        assert not self.verdict(self.received((PRIVATE,)), (mixed,)).accepted


class TestStandardWebhooksByKey(TestStandardWebhooks):
    """Ed25519: signed with a private key, verified with the public or the private one."""

    secret: ClassVar = PRIVATE
    other: ClassVar = OTHER_KEY

    def test_the_public_key_verifies(self) -> None:
        assert self.verdict(self.received(), (PUBLIC,)).accepted

    def test_a_public_key_signs_nothing(self) -> None:
        with pytest.raises(ValueError, match="cannot sign"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [PUBLIC])

    def test_hmac_and_key_may_stand_beside_one_another(self) -> None:
        both = self.received((PRIVATE, SECRET))
        assert self.verdict(both, (SECRET,)).accepted
        assert self.verdict(both, (PUBLIC,)).accepted
        assert self.verdict(both, ("whsec_!", SECRET)).accepted

    def test_a_secret_that_is_no_key_fits_nothing(self) -> None:
        assert not self.verdict(self.received(), ("whpk_c2hvcnQ=",)).accepted

    @pytest.mark.parametrize("text", [b"v1a,", b"v1a,????", b"v1a,AAAA", b"v1a,\xff"])
    def test_what_is_no_signature_is_refused(self, text: bytes) -> None:
        received = self.received()
        last = len(received.headers) - 1
        assert self.verdict(self.with_header(received, last, text)).reason == "signature"
