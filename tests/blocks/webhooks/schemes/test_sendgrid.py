from __future__ import annotations

import base64
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing
from astrio.blocks.webhooks.schemes.sendgrid import SendGrid


def keys(number: int) -> tuple[str, str, str]:
    """Return a private key in PEM, and its public key in base64 and in PEM."""
    key = ec.derive_private_key(number, ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private, base64.b64encode(der).decode(), pem.decode()


class TestSendGrid(SignatureContract):
    scheme: ClassVar = SendGrid()
    secret: ClassVar = keys(7_919)[0]
    other: ClassVar = keys(104_729)[0]
    covered: ClassVar = (
        "x-twilio-email-event-webhook-signature",
        "x-twilio-email-event-webhook-timestamp",
    )

    def test_both_sides_may_rotate_at_once(self) -> None:
        sent = self.received((self.other,))
        assert self.verdict(sent, (self.secret, self.other)).accepted

    def test_the_public_key_verifies(self) -> None:
        _, der, pem = keys(7_919)
        for public in (der, pem):
            self.scheme.check_secret(public)
            assert self.verdict(self.received(), (public,)).accepted
            with pytest.raises(ValueError, match="private key"):
                self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [public])

    @pytest.mark.parametrize(
        "secret",
        [
            *("canary", "Y2FuYXJ5", "-----BEGIN PUBLIC KEY-----\ncanary\n-----END PUBLIC KEY-----"),
            "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
            base64.b64encode(
                rsa.generate_private_key(65537, 2048)
                .public_key()
                .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).decode(),
        ],
    )
    def test_what_is_no_key_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="key") as caught:
            self.scheme.check_secret(secret)
        assert "canary" not in str(caught.value)
        assert not self.verdict(self.received(), (secret,)).accepted
