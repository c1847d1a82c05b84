from __future__ import annotations

from typing import ClassVar

from tests.contracts.signature import ID, SignatureContract

from astrio.blocks.webhooks.schemes.hookdeck import Hookdeck


class TestHookdeck(SignatureContract):
    scheme: ClassVar = Hookdeck()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-hookdeck-signature",)
    single: ClassVar = ("x-hookdeck-signature", "x-hookdeck-eventid")
    id_expected: ClassVar = ID

    def test_the_second_signature_may_not_be_repeated(self) -> None:
        received = self.received((self.secret, self.other))
        again = (b"x-hookdeck-signature-2", b"x")
        changed = type(received)(
            received.method, received.url, [*received.headers, again], received.body
        )
        assert self.verdict(changed).reason == "duplicate_header"


class TestHookdeckWithAPrefixOfItsOwn(TestHookdeck):
    scheme: ClassVar = Hookdeck(prefix="X-Acme")
    covered: ClassVar = ("x-acme-signature",)
    single: ClassVar = ("x-acme-signature", "x-acme-eventid")

    def test_the_second_signature_may_not_be_repeated(self) -> None:
        received = self.received((self.secret, self.other))
        assert [name for name, _ in received.headers].count(b"x-acme-signature-2") == 1
