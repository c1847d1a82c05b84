"""JSON Web Tokens that webhooks carry: their keys, and their claims once they are verified."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from astrio.blocks.webhooks.reading import Refusal

if TYPE_CHECKING:
    from joserfc.jwk import Key

_LONGEST = 16 * 1024
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_MOST_KEYS = 64


class UnknownKey(Exception):  # noqa: N818 (no error: newer keys may be fetched)
    """The token names a key that is not among those known."""


def claims_of(
    token: bytes, keys: Sequence[str], algorithms: Sequence[str], *, shared: bool
) -> Mapping[str, Any]:
    """Return the claims of a token that one of the keys has signed.

    Args:
        token: as it was sent.
        keys: each a shared secret, PEM, JWK or JWK set; what is no key is left out.
        algorithms: that are accepted.
        shared: whether the keys are shared secrets.

    Raises:
        Refusal: it is no such token.
        UnknownKey: it names a key that is not known.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError

    if len(token) > _LONGEST or not _TOKEN.fullmatch(token):
        raise Refusal("malformed")
    if not all(map(_canonical, token.split(b"."))):
        raise Refusal("malformed")
    named = _key_id(token)
    known = [key for text in keys for key in _readable(text, shared=shared)]
    fitting = [key for key in known if named is None or key.get("kid") in (None, named)]
    for key in fitting:
        try:
            return dict(jwt.decode(token, key, algorithms=list(algorithms)).claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue
    if known and not fitting:
        raise UnknownKey
    raise Refusal("signature")


def signed_token(claims: Mapping[str, Any], key: str, algorithm: str, *, shared: bool) -> str:
    """Return a token.

    Raises:
        ValueError: the key cannot sign; it is not repeated.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError

    if not key:
        raise ValueError("there is no key to sign with")
    first, *_ = checked_key(key, shared=shared)
    header = {"alg": algorithm, "typ": "JWT"}
    if identity := first.get("kid"):
        header["kid"] = str(identity)
    try:
        return jwt.encode(header, dict(claims), first, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        raise ValueError(f"the key cannot sign by {algorithm}") from None


@lru_cache(maxsize=256)
def checked_key(text: str, *, shared: bool) -> tuple[Key, ...]:
    """Read a shared secret, a key in PEM, a JWK or a JWK set.

    Raises:
        ValueError: it is none; it is not repeated.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    try:
        if shared:
            return (OctKey.import_key(text),)
        found = tuple(_public_keys(text))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found = ()
    if not found:
        raise ValueError("it is no key in PEM, JWK or JWK set")
    return found


def _public_keys(text: str) -> list[Key]:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    if text.lstrip().startswith("{"):
        told = json.loads(text)
        keys = told.get("keys", [told])[:_MOST_KEYS]
        return [kinds[key["kty"]].import_key(key) for key in keys if key.get("kty") in kinds]
    for kind in kinds.values():
        with suppress(JoseError, ValueError, TypeError):
            return [kind.import_key(text)]
    return []


def _readable(text: str, *, shared: bool) -> tuple[Key, ...]:
    if not text.strip():
        return ()
    try:
        return checked_key(text, shared=shared)
    except ValueError:
        return ()


def _canonical(part: bytes) -> bool:
    """Whether a part is written in the one right way; a second spelling is another token."""
    padded = part + b"=" * (-len(part) % 4)
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(padded)) == padded
    except binascii.Error:
        return False


def _key_id(token: bytes) -> str | None:
    """Return the `kid` of a token, which is no more than a hint before it is verified."""
    from joserfc.util import urlsafe_b64decode

    try:
        header = json.loads(urlsafe_b64decode(token.partition(b".")[0]))
        found = header.get("kid")
    except (ValueError, AttributeError, RecursionError):
        raise Refusal("malformed") from None
    return found if isinstance(found, str) else None
