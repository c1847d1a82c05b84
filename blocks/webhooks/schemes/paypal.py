"""PayPal (developer.paypal.com/api/rest/webhooks/rest)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, NoReturn
from zlib import crc32

from pydantic import Field

from astrio.blocks.webhooks.certificates import is_signed, trusted_key
from astrio.blocks.webhooks.reading import Refusal, decoded, plain_id, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict

_DAY = 86400
_PLACE = re.compile(
    rb"https://api(-m)?(\.sandbox)?\.paypal\.com/v1/notifications/certs/[A-Za-z0-9_-]{1,100}"
)
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_SIGNERS = ("messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com")


class PayPal(TimedScheme):
    """`scheme: paypal`: RSA over id, time, webhook ID and the body's CRC-32, by certificate.

    The secret is the webhook's ID. The certificate is fetched from `PAYPAL-CERT-URL`, which must
    lead to PayPal's API, and must be vouched for. PayPal tries for three days, so `tolerance` is
    four; `PAYPAL-TRANSMISSION-ID`, which is signed, tells repeated ones.
    """

    signs: ClassVar[bool] = False
    key_form: ClassVar[str] = "the webhook's ID, from the developer dashboard"

    type: Literal["paypal"] = "paypal"
    tolerance: int = Field(
        default=4 * _DAY, ge=1, le=7 * _DAY, description="Seconds that the time may be away."
    )
    authorities: str = Field(
        default="", description="PEM file of the authorities to trust; the usual ones if left out."
    )

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the five headers; wants the certificate first."""
        identity, time, text, url, algorithm = (
            required(received.headers, f"paypal-{name}".encode())
            for name in (
                *("transmission-id", "transmission-time", "transmission-sig"),
                *("cert-url", "auth-algo"),
            )
        )
        delivery = plain_id(identity)
        _check_time(time, now, self.tolerance)
        signature = decoded(text)
        if algorithm != b"SHA256withRSA" or not signature or b"|" in identity:
            raise Refusal("malformed")
        place = _pinned(url)
        if place not in received.documents:
            return Verdict(False, "document", wants=place)
        key = trusted_key(
            received.documents[place], _authorities(self.authorities), _SIGNERS, int(now // 3600)
        )
        if key is None:
            raise Refusal("certificate")
        rest = str(crc32(received.body)).encode()
        contents = [b"|".join((identity, time, each.encode(), rest)) for each in secrets if each]
        if not any([is_signed(key, signature, content) for content in contents]):  # noqa: C419 (each is looked at)
            raise Refusal("signature")
        return Verdict(True, delivery_id=delivery)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> NoReturn:
        """Refuse: PayPal alone has the key."""
        raise NotImplementedError("only PayPal can sign for PayPal")


def _check_time(text: bytes, now: float, tolerance: float) -> None:
    if not _TIME.fullmatch(text):
        raise Refusal("timestamp")
    try:
        seconds = datetime.fromisoformat(text.decode()[:19] + "+00:00").timestamp()
    except ValueError:
        raise Refusal("timestamp") from None
    if abs(now - seconds) > tolerance:
        raise Refusal("timestamp")


def _pinned(url: bytes) -> str:
    """Return the URL of a certificate if it leads to PayPal's API and nowhere else."""
    if not _PLACE.fullmatch(url):
        raise Refusal("malformed")
    return url.decode()


@lru_cache(maxsize=16)
def _authorities(file: str) -> bytes:
    import certifi

    return Path(file or certifi.where()).read_bytes()
