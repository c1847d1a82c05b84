"""Ed25519 keys and signatures (RFC 8032); a key is read once and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )


@lru_cache(maxsize=256)
def public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the key of 32 bytes.

    Raises:
        ValueError: it has another length.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=256)
def private_key(raw: bytes) -> Ed25519PrivateKey:
    """Return the key of 32 bytes, or of 64 with the public key behind it.

    Raises:
        ValueError: it has another length, or its two halves do not belong together.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if len(raw) not in (32, 64) or raw[32:] not in (b"", public_of(key)):
        raise ValueError("an Ed25519 key has 32 bytes, or 64 with its public key")
    return key


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def is_signed(raw_key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the signature is that of the content under a public key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature

    try:
        public_key(raw_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
