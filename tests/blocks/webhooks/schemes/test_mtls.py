from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.mtls import MutualTls

FINGERPRINT = "ab" * 32
SUBJECT = "CN=vendor.example.com,O=Vendor"


class TestMutualTls(SignatureContract):
    scheme: ClassVar = MutualTls(subjects=("CN=other", SUBJECT), fingerprints=(FINGERPRINT,))
    secret: ClassVar = ""
    other: ClassVar = ""
    covered: ClassVar = (
        "x-ssl-client-verify",
        "x-ssl-client-s-dn",
        "x-ssl-client-fingerprint",
    )
    covers_body: ClassVar = False
    proves_body: ClassVar = True  # the connection does

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        return [
            ("X-SSL-Client-Verify", "SUCCESS"),
            ("X-SSL-Client-S-DN", SUBJECT),
            ("X-SSL-Client-Fingerprint", FINGERPRINT),
        ]

    def received(
        self, secrets: Sequence[str] = (), body: bytes | None = None, timestamp: int = NOW
    ) -> Received:
        return replace(super().received(secrets, body, timestamp), from_proxy=True)

    def test_only_a_configured_proxy_is_believed(self) -> None:
        assert self.verdict(replace(self.received(), from_proxy=False)).reason == "proxy"

    @pytest.mark.parametrize("told", ["NONE", "FAILED:expired", "success", ""])
    def test_a_certificate_that_was_not_verified_is_refused(self, told: str) -> None:
        received = self.received()
        place = [name for name, _ in received.headers].index(b"x-ssl-client-verify")
        assert not self.verdict(self.with_header(received, place, told.encode())).accepted

    def test_a_fingerprint_may_be_written_with_colons_and_capitals(self) -> None:
        written = ":".join(["AB"] * 32)
        assert MutualTls(fingerprints=(written,)).fingerprints == (FINGERPRINT,)
        received = self.received()
        place = [name for name, _ in received.headers].index(b"x-ssl-client-fingerprint")
        assert self.verdict(self.with_header(received, place, written.encode())).accepted

    def same(self, received: Received, original: Received) -> bool:
        return self._lower(received) == self._lower(original)

    def _lower(self, received: Received) -> list[tuple[bytes, bytes]]:
        return sorted(
            (
                name,
                value.lower().replace(b":", b"") if name.endswith(b"fingerprint") else value,
            )
            for name, value in received.headers
            if name.decode() in self.covered
        )

    # There is no secret.

    def test_a_secret_that_fits_is_taken(self) -> None:
        with pytest.raises(ValueError, match="no secret"):
            self.scheme.check_secret("canary")
        assert not self.scheme.needs_secret

    def test_another_secret_is_refused(self) -> None:
        assert self.verdict(self.received(), ("canary",)).accepted

    @pytest.mark.parametrize("secrets", [(), ("",)])
    def test_no_secret_and_an_empty_one_fit_nothing(self, secrets: tuple[str, ...]) -> None:
        assert self.verdict(self.received(), secrets).accepted


class TestMutualTlsBySubject(TestMutualTls):
    scheme: ClassVar = MutualTls(subjects=(SUBJECT,))
    covered: ClassVar = ("x-ssl-client-verify", "x-ssl-client-s-dn")

    def test_a_fingerprint_may_be_written_with_colons_and_capitals(self) -> None:
        assert self.verdict(self.received()).accepted


class TestMutualTlsByFingerprint(TestMutualTls):
    scheme: ClassVar = MutualTls(fingerprints=(FINGERPRINT,))
    covered: ClassVar = ("x-ssl-client-verify", "x-ssl-client-fingerprint")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "any certificate would do"),
        ({"subjects": [""]}, "any certificate"),
        ({"fingerprints": ["abc"]}, "hexadecimal"),
        ({"subjects": ["a"], "verified": ""}, "at least 1"),
    ],
)
def test_settings_that_let_anybody_in_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MutualTls.model_validate(settings)


def test_only_the_connection_itself_can_sign() -> None:
    with pytest.raises(NotImplementedError):
        MutualTls(subjects=("a",)).sign(Outgoing(ID, NOW, "https://x.example", BODY), [])
