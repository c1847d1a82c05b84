"""Reading the parts of a received request, each with what makes it unusable.

What cannot be used is told by `Refusal`, which `Scheme.verify` turns into a verdict. Everything
is bytes: comparing text in constant time fails for anything but ASCII.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from hmac import compare_digest

Headers = Sequence[tuple[bytes, bytes]]

MOST_SIGNATURES = 16
_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
_ID = re.compile(rb"[!-~]{1,256}")


class Refusal(Exception):  # noqa: N818 (no error: it is an answer, and never leaves the scheme)
    """A request is refused; `reason` is that of the verdict."""

    def __init__(self, reason: str) -> None:
        """Take the reason."""
        super().__init__(reason)
        self.reason = reason


def optional(headers: Headers, name: bytes) -> bytes | None:
    """Return the value of a header, None if there is none.

    Raises:
        Refusal: it is repeated, so that what is signed and what is read could differ.
    """
    found = [value for key, value in headers if key == name]
    if len(found) > 1:
        raise Refusal("duplicate_header")
    return found[0] if found else None


def required(headers: Headers, name: bytes) -> bytes:
    """Return the value of a header.

    Raises:
        Refusal: it is missing, empty or repeated.
    """
    found = optional(headers, name)
    if not found:
        raise Refusal("missing")
    return found


def each_required(headers: Headers, names: Sequence[bytes]) -> list[bytes]:
    """Return the values of several headers, in one pass; raises as `required`."""
    found = dict(headers)
    if len(found) == len(headers):  # none is repeated
        values = [found.get(name, b"") for name in names]
        if all(values):
            return values
    return [required(headers, name) for name in names]


def check_fresh(text: bytes, now: float, tolerance: float, unit: int = 1) -> None:
    """Refuse a timestamp that is no plain number, or not near to now, in either direction.

    Args:
        text: the timestamp as it was sent.
        now: epoch seconds.
        tolerance: seconds.
        unit: how many of the timestamp's units a second has: 1000 for milliseconds.
    """
    if not _TIMESTAMP.fullmatch(text) or abs(now - int(text) / unit) > tolerance:
        raise Refusal("timestamp")


def plain_id(text: bytes) -> str:
    """Return a vendor's id as text.

    Raises:
        Refusal: it is empty, longer than 256 characters, or holds others than visible ASCII.
    """
    if not _ID.fullmatch(text):
        raise Refusal("malformed")
    return text.decode("ascii")


def optional_id(headers: Headers, name: bytes) -> str | None:
    """Return the id that a header holds, None if there is none."""
    found = optional(headers, name)
    return None if found is None else plain_id(found)


def at_most(signatures: list[bytes]) -> list[bytes]:
    """Return the signatures.

    Raises:
        Refusal: there are so many that comparing them would be work for its own sake.
    """
    if len(signatures) > MOST_SIGNATURES:
        raise Refusal("malformed")
    return signatures


def pairs(text: bytes, separator: bytes = b",") -> dict[bytes, list[bytes]]:
    """Read `t=1,v1=aa,v1=bb`: the values of each name, in order.

    Raises:
        Refusal: a part is no pair, or there are too many.
    """
    found: dict[bytes, list[bytes]] = {}
    parts = text.split(separator, MOST_SIGNATURES * 2)
    if len(parts) > MOST_SIGNATURES * 2:
        raise Refusal("malformed")
    for part in parts:
        name, equals, value = part.strip(b" ").partition(b"=")
        if not equals:
            raise Refusal("malformed")
        found.setdefault(name, []).append(value)
    return found


def only(values: Sequence[bytes]) -> bytes:
    """Return the only value.

    Raises:
        Refusal: there is none, or there are several.
    """
    if len(values) != 1:
        raise Refusal("duplicate_header" if values else "missing")
    return values[0]


def any_equal(expected: Iterable[bytes], given: Sequence[bytes]) -> bool:
    """Whether one of the expected signatures was given; every pair is compared, at one pace."""
    found = False
    for wanted in expected:
        for each in given:
            found |= compare_digest(wanted, each)
    return found


def decoded(text: bytes) -> bytes | None:
    """Decode base64 that is written in the one way that is right; None for everything else.

    Where a signature has to be decoded, a second spelling of it must not be another valid one.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw) == text else None
