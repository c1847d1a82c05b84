"""Mutual TLS: a proxy has verified the client's certificate and tells whose it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal, NoReturn, Self

from pydantic import Field, field_validator, model_validator

from astrio.blocks.webhooks.reading import Refusal, any_equal, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict
from astrio.blocks.webhooks.schemes.secret import HEADER_NAME

_FINGERPRINT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class MutualTls(Scheme):
    """`{type: mtls, subjects: ["CN=vendor.example.com"]}`, behind a proxy that ends TLS.

    Only a request from one of the gateway's configured proxies is believed, and only if the proxy
    says that it has verified the certificate. The proxy must set (and so overwrite) all of these
    headers; the defaults are nginx's usual ones. There is no secret.
    """

    signs: ClassVar[bool] = False
    key_form: ClassVar[str] = "no secret"

    type: Literal["mtls"] = "mtls"
    verified_header: str = Field(
        default="X-SSL-Client-Verify",
        pattern=HEADER_NAME,
        description="Header that tells whether the certificate was verified.",
    )
    verified: str = Field(
        default="SUCCESS", min_length=1, description="What that header says if it was."
    )
    subject_header: str = Field(
        default="X-SSL-Client-S-DN", pattern=HEADER_NAME, description="Header of the subject."
    )
    fingerprint_header: str = Field(
        default="X-SSL-Client-Fingerprint",
        pattern=HEADER_NAME,
        description="Header of the fingerprint.",
    )
    subjects: tuple[str, ...] = Field(
        default=(), description="Subjects that may send, exactly as the proxy writes them."
    )
    fingerprints: tuple[str, ...] = Field(
        default=(), description="Fingerprints that may send, SHA-1 or SHA-256, hexadecimal."
    )

    @field_validator("fingerprints")
    @classmethod
    def _plain(cls, fingerprints: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(each.replace(":", "").lower() for each in fingerprints)
        if not all(map(_FINGERPRINT.fullmatch, plain)):
            raise ValueError("a fingerprint has 40 or 64 hexadecimal digits")
        return plain

    @field_validator("subjects")
    @classmethod
    def _told(cls, subjects: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.strip() for each in subjects):
            raise ValueError("an empty subject would let any certificate in")
        return subjects

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.subjects and not self.fingerprints:
            raise ValueError("give `subjects` or `fingerprints`, or any certificate would do")
        return self

    @property
    def needs_secret(self) -> bool:
        """The certificate is what proves it."""
        return False

    def check_secret(self, secret: str) -> None:  # noqa: ARG002 (one shape for all)
        """Refuse any: there is none.

        Raises:
            ValueError: always.
        """
        raise ValueError("mutual TLS has no secret; leave it out")

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no secret, no clock)
        """Judge by what the proxy says."""
        if not received.from_proxy:
            raise Refusal("proxy")
        verified = required(received.headers, self.verified_header.lower().encode())
        if verified != self.verified.encode():
            raise Refusal("signature")
        if self.subjects:
            subject = required(received.headers, self.subject_header.lower().encode())
            _one_of(self.subjects, subject)
        if self.fingerprints:
            text = required(received.headers, self.fingerprint_header.lower().encode())
            _one_of(self.fingerprints, text.replace(b":", b"").lower())
        return Verdict(True)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> NoReturn:
        """Refuse: only a connection with the certificate can."""
        raise NotImplementedError("a client certificate is shown when the connection is made")


def _one_of(allowed: Sequence[str], given: bytes) -> None:
    if not any_equal([each.encode() for each in allowed], [given]):
        raise Refusal("signature")
