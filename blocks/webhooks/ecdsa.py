"""ECDSA keys on P-256 and their signatures over SHA-256; a key is read once and kept."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )


@lru_cache(maxsize=256)
def public_key(text: str) -> EllipticCurvePublicKey:
    """Read a public key: base64 of its DER form, or PEM; or the one of a private key in PEM.

    Raises:
        ValueError: it is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import (
        load_der_public_key,
        load_pem_public_key,
    )

    if "PRIVATE KEY-----" in text:
        return private_key(text).public_key()
    try:
        pem = text.lstrip().startswith("-----BEGIN")
        key = (
            load_pem_public_key(text.encode())
            if pem
            else load_der_public_key(base64.b64decode(text, validate=True))
        )
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("it is no public key of elliptic curves, in base64 or PEM")  # noqa: TRY004 (one error for every fault)
    return key


@lru_cache(maxsize=256)
def private_key(text: str) -> EllipticCurvePrivateKey:
    """Read a private key in PEM.

    Raises:
        ValueError: it is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("only a private key in PEM can sign")  # noqa: TRY004 (one error for every fault)
    return key


def is_signed(key: str, signature: bytes, content: bytes) -> bool:
    """Whether a signature (DER) is that of the content under a key; a wrong key signs nothing."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        public_key(key).verify(signature, content, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def signature(key: str, content: bytes) -> bytes:
    """Sign with a private key in PEM.

    Raises:
        ValueError: it is none.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    return private_key(key).sign(content, ECDSA(SHA256()))
