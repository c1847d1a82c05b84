"""A signer's certificate: whose it is, whether an authority vouches for it, what it has signed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import Certificate

_MOST = 10
_END = b"-----END CERTIFICATE-----"


@lru_cache(maxsize=64)
def trusted_key(
    chain: bytes, roots: bytes, names: Sequence[str], hours: int
) -> RSAPublicKey | None:
    """Return the key of a certificate in PEM, its chain behind it, if it is to be trusted.

    Args:
        chain: the certificate, then those of the authorities between it and a root.
        roots: the authorities that are trusted, PEM.
        names: DNS names, one of which the certificate must be for.
        hours: since the epoch; the certificates must be valid then.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509.verification import VerificationError

    try:
        leaf, *between = _read(chain)[:_MOST]
        _verify(leaf, between, _each(roots), names, datetime.fromtimestamp(hours * 3600, UTC))
        key = leaf.public_key()
    except (ValueError, VerificationError, OverflowError):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def is_signed(key: RSAPublicKey, signature: bytes, content: bytes) -> bool:
    """Whether a signature (RSA with PKCS #1 v1.5 over SHA-256) is that of the content."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, content, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _read(pem: bytes) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    return load_pem_x509_certificates(pem)


def _each(pem: bytes) -> list[Certificate]:
    """Read a bundle of authorities; one that cannot be read is left out, not the bundle."""
    from cryptography.utils import CryptographyDeprecationWarning

    found = []
    for part in pem.split(_END)[:-1]:
        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            found += _read(part + _END)
    return found


def _verify(
    leaf: Certificate,
    between: list[Certificate],
    roots: list[Certificate],
    names: Sequence[str],
    moment: datetime,
) -> None:
    from cryptography.x509 import DNSName
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

    builder = PolicyBuilder().store(Store(roots)).time(moment)
    faults = []
    for name in names:
        try:
            builder.build_server_verifier(DNSName(name)).verify(leaf, between)
            return
        except VerificationError as fault:
            faults.append(fault)
    raise faults[0]
