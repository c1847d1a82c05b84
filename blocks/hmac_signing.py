"""Signs requests with a shared secret, anew each time they are sent; imported when sending."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

import httpx

from astrio.blocks.canonical import filled, placeholders
from astrio.blocks.redaction import remember
from astrio.blocks.signing import replace_query

Clock = Literal["epoch", "epoch_ms", "iso", "iso_ms", "http"]
Encoding = Literal["hex", "base64"]
# What depends on the signature, and so is set after the request has been signed.
_SIGNED = frozenset(("signature", "basic"))


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a vendor wants its requests signed.

    Attributes:
        algorithm: of the hash, as hashlib names it.
        canonical: template of what is signed.
        encoding: how the signature is written.
        timestamp: how the time is written.
        headers: templates of the headers to set.
        query: templates of the query parameters to set.
    """

    algorithm: str
    canonical: str
    encoding: Encoding
    timestamp: Clock
    headers: Mapping[str, str]
    query: Mapping[str, str]


class HmacSigner(httpx.Auth):
    """Sets what a scheme asks for; time and nonce are new for each attempt (RFC 2104)."""

    requires_request_body = True

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: bytes,
        *,
        now: Callable[[], datetime],
        nonce: Callable[[], str],
    ) -> None:
        """Take the scheme, and key and secret resolved."""
        self._scheme = scheme
        self._key_id = key_id
        self._secret = secret
        self._now = now
        self._nonce = nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        values = {
            "key_id": self._key_id,
            "timestamp": written(self._now(), self._scheme.timestamp),
            "nonce": self._nonce(),
        }
        request.url = replace_query(request.url, self._scheme.query.keys(), ())
        self._set(request, values, signed=False)
        signature = self._signature(filled(self._scheme.canonical, request, values))
        basic = base64.b64encode(f"{self._key_id}:{signature}".encode()).decode()
        for secret in (signature, basic):
            remember(secret)
        self._set(request, {**values, "signature": signature, "basic": basic}, signed=True)
        yield request

    def _signature(self, text: bytes) -> str:
        digest = hmac.new(self._secret, text, getattr(hashlib, self._scheme.algorithm)).digest()
        return digest.hex() if self._scheme.encoding == "hex" else base64.b64encode(digest).decode()

    def _set(self, request: httpx.Request, values: Mapping[str, str], *, signed: bool) -> None:
        def ready(templates: Mapping[str, str]) -> dict[str, str]:
            return {
                name: text
                for name, template in templates.items()
                if signed is not _SIGNED.isdisjoint(placeholders(template))
                and (text := filled(template, request, values).decode())
            }

        request.headers.update(ready(self._scheme.headers))
        if query := ready(self._scheme.query):
            request.url = replace_query(request.url, query.keys(), query.items())


def written(moment: datetime, form: Clock) -> str:
    """Return a moment as the scheme writes it."""
    match form:
        case "epoch":
            return str(int(moment.timestamp()))
        case "epoch_ms":
            return str(int(moment.timestamp() * 1000))
        case "http":
            return format_datetime(moment.astimezone(UTC), usegmt=True)
        case _:
            precision = "milliseconds" if form == "iso_ms" else "seconds"
            plain = moment.astimezone(UTC).replace(tzinfo=None)
            return f"{plain.isoformat(timespec=precision)}Z"
