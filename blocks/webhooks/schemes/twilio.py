"""Twilio (twilio.com/docs/usage/webhooks/webhooks-security)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from hmac import compare_digest
from typing import ClassVar, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from astrio.blocks.webhooks.forms import FORM, is_form, parameters
from astrio.blocks.webhooks.macs import Algorithm, mac, macs, text_keys
from astrio.blocks.webhooks.reading import (
    Headers,
    Refusal,
    any_equal,
    optional,
    optional_id,
    required,
)
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict

_BODY = "bodySHA256"
_PORTS = {"https": 443, "http": 80}
_ALGORITHMS: dict[str, Algorithm] = {"": "sha1", "HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


class Twilio(Scheme):
    """`scheme: twilio`, with `public_url`: `X-Twilio-Signature` over the URL and the form's fields.

    Anything but a form is signed by `bodySHA256` in the URL's query; without it, it is refused.
    There is no timestamp, so only deduplication by `I-Twilio-Idempotency-Token` holds replays
    back.
    """

    key_form: ClassVar[str] = "the account's auth token"

    type: Literal["twilio"] = "twilio"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the header, the public URL and the body."""
        given = required(received.headers, b"x-twilio-signature")
        algorithm = _algorithm(received.headers)
        fields = _signed_fields(received)
        keys = text_keys(secrets)
        expected = [
            each
            for url in _spellings(received.url)
            for each in macs(keys, (url + fields).encode(), algorithm, "base64")
        ]
        if not any_equal(expected, [given]):
            raise Refusal("signature")
        identity = optional_id(received.headers, b"i-twilio-idempotency-token")
        return Verdict(True, delivery_id=identity)

    def prepared(self, outgoing: Outgoing, secrets: Sequence[str]) -> Outgoing:
        """Put the body's hash into the URL, unless it is a form."""
        outgoing = super().prepared(outgoing, secrets)
        if outgoing.content_type == FORM:
            return outgoing
        parts = urlsplit(outgoing.url)
        told = f"{_BODY}={sha256(outgoing.body).hexdigest()}"
        query = f"{parts.query}&{told}" if parts.query else told
        return replace(outgoing, url=urlunsplit(parts._replace(query=query)))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest secret."""
        form = outgoing.content_type == FORM
        fields = _written(parameters(outgoing.body)) if form else ""
        content = (outgoing.url + fields).encode()
        signature = mac(next(iter(secrets), ""), content, "sha1", "base64")
        return [
            ("I-Twilio-Idempotency-Token", outgoing.id),
            ("X-Twilio-Signature", signature),
        ]


def _signed_fields(received: Received) -> str:
    """Return what is signed of the body beside the URL.

    Raises:
        Refusal: the body is not signed at all, or its hash is another.
    """
    query = parse_qsl(urlsplit(received.url).query, keep_blank_values=True)
    hashes = [value for name, value in query if name == _BODY]
    form = is_form(received.headers)
    if not hashes:
        if received.body and not form:
            raise Refusal("missing")
        return _written(parameters(received.body))
    actual = sha256(received.body).hexdigest().encode()
    if len(hashes) > 1 or not compare_digest(hashes[0].lower().encode(), actual):
        raise Refusal("signature")
    return _written(parameters(received.body)) if form else ""


def _written(fields: Iterable[tuple[str, str]]) -> str:
    """Write the fields in order, each pair once."""
    return "".join(name + value for name, value in sorted(set(fields)))


def _spellings(url: str) -> list[str]:
    """Return the URL without its port, and with it: Twilio signs either."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    name = host if parts.port is None else host.rpartition(":")[0]
    user = parts.netloc.removesuffix(host)
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return [_with(parts, user + name), _with(parts, f"{user}{name}:{port}")]


def _with(parts: SplitResult, netloc: str) -> str:
    return urlunsplit(parts._replace(netloc=netloc))


def _algorithm(headers: Headers) -> Algorithm:
    """Return the hash that Twilio tells: SHA-1 with the auth token, either with a shared key."""
    told = optional(headers, b"x-twilio-webhooks-signature-settings") or b""
    parts: dict[str, str] = {}
    for part in told.decode("latin-1").split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    found = _ALGORITHMS.get(parts.get("algorithm", "").upper())
    if found is None:
        raise Refusal("malformed")
    return found
