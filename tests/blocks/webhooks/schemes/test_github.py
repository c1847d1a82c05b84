from __future__ import annotations

from typing import ClassVar

from tests.contracts.signature import ID, SignatureContract

from astrio.blocks.webhooks.schemes.github import GitHub


class TestGitHub(SignatureContract):
    scheme: ClassVar = GitHub()
    secret: ClassVar = "It's a Secret to Everybody"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-hub-signature-256",)
    single: ClassVar = ("x-hub-signature-256", "x-github-delivery")
    id_expected: ClassVar = ID

    def test_an_id_that_could_pass_for_something_else_is_refused(self) -> None:
        received = self.received()
        place = [name for name, _ in received.headers].index(b"x-github-delivery")
        for wrong in (b"", b"x" * 257, b"a b", b"\xff", b"a\nb"):
            assert not self.verdict(self.with_header(received, place, wrong)).accepted
