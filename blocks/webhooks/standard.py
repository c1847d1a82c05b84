"""The way of Standard Webhooks 1.0.0: HMAC (`v1`) and Ed25519 (`v1a`), several signatures."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from hmac import compare_digest, digest
from typing import ClassVar, Literal, NamedTuple

from astrio.blocks.webhooks import ed25519
from astrio.blocks.webhooks.reading import (
    Refusal,
    at_most,
    check_fresh,
    decoded,
    each_required,
)
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict

_ID = re.compile(rb"[!-\-/-~]{1,256}")  # visible ASCII without the dot, which ends it


class Key(NamedTuple):
    """A secret, read: which signatures it makes or checks, and its bytes."""

    kind: Literal["hmac", "public", "private"]
    raw: bytes


_KINDS: dict[str, Literal["hmac", "public", "private"]] = {
    "whsec_": "hmac",
    "whpk_": "public",
    "whsk_": "private",
}


class StandardScheme(TimedScheme):
    """What is signed is `id.timestamp.body`, with the three in headers of one prefix.

    Each secret is `whsec_` and base64, `whpk_` (a public key, which only verifies) or `whsk_` (a
    private key); without a prefix it is base64.
    """

    prefix: ClassVar[str]
    key_form: ClassVar[str] = "`whsec_` and base64, or `whpk_`/`whsk_` and an Ed25519 key"

    def check_secret(self, secret: str) -> None:
        """Refuse what is no key."""
        key = read_key(secret)
        if key.kind == "public":
            ed25519.public_key(key.raw)
        elif key.kind == "private":
            ed25519.private_key(key.raw)
        elif len(key.raw) < 16:
            raise ValueError("the secret is shorter than 16 bytes; 24 to 64 are right")

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the three headers."""
        identity, timestamp, signatures = each_required(received.headers, _raw_names(self.prefix))
        if not _ID.fullmatch(identity):
            raise Refusal("malformed")
        check_fresh(timestamp, now, self.tolerance)
        given = at_most(signatures.split(b" "))
        content = b"%b.%b.%b" % (identity, timestamp, received.body)
        if not _signed(content, given, secrets):
            raise Refusal("signature")
        return Verdict(True, delivery_id=identity.decode())

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with every secret, one signature each."""
        if not _ID.fullmatch(outgoing.id.encode()):
            raise ValueError("the id of a delivery holds visible ASCII without dots, 256 at most")
        content = f"{outgoing.id}.{outgoing.timestamp}.".encode() + outgoing.body
        signatures = " ".join(_signature(read_key(secret), content) for secret in secrets)
        if not signatures:
            raise ValueError("there is no secret to sign with")
        values = (outgoing.id, str(outgoing.timestamp), signatures)
        names = (name.decode() for name in _raw_names(self.prefix))
        return list(zip(names, values, strict=True))


@cache
def _raw_names(prefix: str) -> tuple[bytes, bytes, bytes]:
    name = prefix.encode()
    return name + b"-id", name + b"-timestamp", name + b"-signature"


@lru_cache(maxsize=1024)
def read_key(secret: str) -> Key:
    """Read a secret; base64 may lack its padding.

    Raises:
        ValueError: it is empty or no base64.
    """
    prefix, rest = next(
        ((each, secret.removeprefix(each)) for each in _KINDS if secret.startswith(each)),
        ("whsec_", secret),
    )
    try:
        raw = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the secret is no base64 behind whsec_, whpk_ or whsk_") from None
    if not raw:
        raise ValueError("the secret is empty")
    return Key(_KINDS[prefix], raw)


def _signed(content: bytes, given: Sequence[bytes], secrets: Sequence[str]) -> bool:
    found = False
    for secret in secrets:
        try:
            key = read_key(secret)
        except ValueError:
            continue
        if key.kind == "hmac":
            expected = b"v1," + base64.b64encode(digest(key.raw, content, "sha256"))
            for each in given:
                found |= compare_digest(expected, each)
        else:
            found |= _signed_by_key(content, given, key)
    return found


def _signed_by_key(content: bytes, given: Sequence[bytes], key: Key) -> bool:
    try:
        private = key.kind == "private"
        raw = ed25519.public_of(ed25519.private_key(key.raw)) if private else key.raw
    except ValueError:
        return False
    texts = [each.removeprefix(b"v1a,") for each in given if each.startswith(b"v1a,")]
    signatures = [signature for text in texts if (signature := decoded(text))]
    return any(ed25519.is_signed(raw, signature, content) for signature in signatures)


def _signature(key: Key, content: bytes) -> str:
    if key.kind == "hmac":
        return f"v1,{base64.b64encode(digest(key.raw, content, 'sha256')).decode()}"
    if key.kind == "public":
        raise ValueError("a public key (whpk_) cannot sign; give the private one (whsk_)")
    signature = ed25519.private_key(key.raw).sign(content)
    return f"v1a,{base64.b64encode(signature).decode()}"
