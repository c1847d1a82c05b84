from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.paypal import PayPal

SIGNER = "messageverificationcerts.paypal.com"
URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a0c"
KEY = rsa.generate_private_key(65537, 2048)
ROOT_KEY = ec.generate_private_key(ec.SECP256R1())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    subject: str, key: Any, *, authority: bool, age_days: int = 1, signer: Any = ROOT_KEY
) -> bytes:
    """Return a certificate in PEM; the authority's own is signed by itself."""
    start = datetime.fromtimestamp(NOW, UTC) - timedelta(days=age_days)
    usage = dict.fromkeys(
        [
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ],
        False,
    )
    usage["key_cert_sign" if authority else "digital_signature"] = True
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named("Test root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(server, critical=False).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False
        )
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


ROOT = certificate("Test root", ROOT_KEY, authority=True)
CHAIN = certificate(SIGNER, KEY, authority=False)


ROOTS = Path(tempfile.mkdtemp(prefix="astrio-tests-")) / "roots.pem"
ROOTS.write_bytes(ROOT)


class TestPayPal(SignatureContract):
    scheme: ClassVar = PayPal(authorities=str(ROOTS))
    secret: ClassVar = "9XL90610J3647323C"
    other: ClassVar = "1AB23456C7890123D"
    covered: ClassVar = (
        *("paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig"),
        *("paypal-cert-url", "paypal-auth-algo"),
    )
    id_expected: ClassVar = ID
    known: ClassVar[dict[str, bytes]] = {URL: CHAIN}

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign as PayPal does."""
        moment = datetime.fromtimestamp(min(outgoing.timestamp, 10**11), UTC)
        time = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        content = f"{outgoing.id}|{time}|{secrets[0]}|{crc32(outgoing.body)}".encode()
        signature = KEY.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return [
            ("PAYPAL-TRANSMISSION-ID", outgoing.id),
            ("PAYPAL-TRANSMISSION-TIME", time),
            ("PAYPAL-TRANSMISSION-SIG", base64.b64encode(signature).decode()),
            ("PAYPAL-CERT-URL", URL),
            ("PAYPAL-AUTH-ALGO", "SHA256withRSA"),
        ]

    def received(
        self, secrets: Sequence[str] = (), body: bytes | None = None, timestamp: int = NOW
    ) -> Received:
        return replace(super().received(secrets, body, timestamp), documents=self.known)

    def with_named(self, name: str, value: bytes) -> Received:
        received = self.received()
        place = [each for each, _ in received.headers].index(name.encode())
        return self.with_header(received, place, value)

    def test_both_sides_may_rotate_at_once(self) -> None:
        sent = self.received((self.other,))
        assert self.verdict(sent, (self.secret, self.other)).accepted

    def test_the_certificate_is_wanted_first(self) -> None:
        verdict = self.verdict(replace(self.received(), documents={}))
        assert (verdict.reason, verdict.wants) == ("document", URL)

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "https://evilpaypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
            "https://me@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/../../CERT-1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
            "https://api.paypal.com/files/CERT-1",
            "https://[::1/x",
            "\u24d0pi.paypal.com",
        ],
    )
    def test_no_other_place_is_asked_for_a_certificate(self, url: str) -> None:
        verdict = self.verdict(self.with_named("paypal-cert-url", url.encode()))
        assert (verdict.accepted, verdict.wants) == (False, None)

    @pytest.mark.parametrize(
        "chain",
        [
            b"",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            certificate("www.paypal.com.evil.example", KEY, authority=False),
            certificate(SIGNER, KEY, authority=False, age_days=31),
            certificate(
                SIGNER, KEY, authority=False, signer=ec.generate_private_key(ec.SECP256R1())
            ),
            certificate(SIGNER, ec.generate_private_key(ec.SECP256R1()), authority=False),
        ],
        ids=["empty", "garbage", "of another", "lapsed", "of another authority", "no RSA"],
    )
    def test_a_certificate_that_nobody_vouches_for_is_refused(self, chain: bytes) -> None:
        received = replace(self.received(), documents={URL: chain})
        assert self.verdict(received).reason == "certificate"

    def test_the_signer_of_the_sandbox_is_known_too(self) -> None:
        sandbox = certificate(SIGNER.replace(".", ".sandbox.", 1), KEY, authority=False)
        assert self.verdict(replace(self.received(), documents={URL: sandbox})).accepted

    def test_the_usual_authorities_do_not_know_a_certificate_of_our_own(self) -> None:
        verdict = PayPal().verify(self.received(), [self.secret], NOW)
        assert verdict.reason == "certificate"

    @pytest.mark.parametrize(
        "time", ["2023-11-14", "2023-13-14T22:13:20Z", "2023-11-14T22:13:20+00:00", "now"]
    )
    def test_a_time_that_cannot_be_read_is_refused(self, time: str) -> None:
        received = self.with_named("paypal-transmission-time", time.encode())
        assert self.verdict(received).reason == "timestamp"

    def test_an_id_that_could_shift_what_is_signed_is_refused(self) -> None:
        assert self.verdict(self.with_named("paypal-transmission-id", b"a|b")).reason == "malformed"

    def test_only_paypal_can_sign(self) -> None:
        assert not self.scheme.signs
        with pytest.raises(NotImplementedError):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [self.secret])
