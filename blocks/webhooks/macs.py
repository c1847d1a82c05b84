"""Message authentication codes (RFC 2104) as vendors write them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Sequence
from typing import Literal

Algorithm = Literal["sha256", "sha512", "sha384", "sha1", "md5"]
Encoding = Literal["hex", "hex_upper", "base64", "base64url"]


def text_keys(secrets: Sequence[str]) -> list[bytes]:
    """Return each secret's text as a key; an empty one never is."""
    return [secret.encode() for secret in secrets if secret]


def macs(
    keys: Sequence[bytes],
    content: bytes,
    algorithm: Algorithm = "sha256",
    encoding: Encoding = "hex",
) -> Iterator[bytes]:
    """Yield the code of the content under each key, written out."""
    for key in keys:
        yield written(hmac.digest(key, content, algorithm), encoding)


def mac(key: str, content: bytes, algorithm: Algorithm, encoding: Encoding) -> str:
    """Return the code of the content under the text of a secret.

    Raises:
        ValueError: the secret is empty.
    """
    if not key:
        raise ValueError("the secret is empty")
    return written(hmac.digest(key.encode(), content, algorithm), encoding).decode()


def written(digest: bytes, encoding: Encoding) -> bytes:
    """Write a code out."""
    match encoding:
        case "hex":
            return digest.hex().encode()
        case "hex_upper":
            return digest.hex().upper().encode()
        case "base64":
            return base64.b64encode(digest)
        case _:
            return base64.urlsafe_b64encode(digest).rstrip(b"=")
