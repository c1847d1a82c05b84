"""How long an answer asks us to wait: Retry-After, the IETF's RateLimit fields, X-RateLimit-*.

RFC 9110 10.2.3 and draft-ietf-httpapi-ratelimit-headers, of both of its forms; malformed fields
are ignored, as the draft asks. Where several are there, Retry-After counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

_POLICY = re.compile(r'"[^"]*"((?:\s*;\s*[\w-]+=[^;,]*)*)')
_PARAMETER = re.compile(r"([\w-]+)\s*=\s*([^;,\s]+)")
_FAMILIES: Final = ("ratelimit", "x-ratelimit", "x-rate-limit")
_FIRST_MILLISECOND: Final = 1e12
_FIRST_SECOND: Final = 1e9
_LIMITED: Final = (420, 429, 503)
_LARGEST_BODY: Final = 16 * 1024


def asked_wait(
    status: int, headers: Mapping[str, str], content: bytes, now: datetime
) -> float | None:
    """Return the seconds that an answer asks to wait before it is asked for again; None: none.

    Args:
        status: of the answer.
        headers: of the answer, looked up without regard to case.
        content: its body: some vendors put `retry_after` into it.
        now: our clock, used where the answer has no Date.
    """
    told = retry_after(headers, now)
    if told is None:
        told = exhausted_for(headers, now)
    if told is None and status in _LIMITED:
        told = _in_body(content)
    return told


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for: a number (also a fraction) or an HTTP date.

    A date is measured by the API's own clock if it sends one. A malformed field is ignored; a
    date in the past means no wait.
    """
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return max(seconds, 0.0)
    return _until(_date(text), headers, now)


def exhausted_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until there is quota again; None: some is left, or nothing is told."""
    waits = [*_structured(headers.get("ratelimit", ""))]
    for family in _FAMILIES:
        if _number(headers.get(f"{family}-remaining", "")) != 0:
            continue
        after = _number(headers.get(f"{family}-reset-after", ""))
        wait = _reset(headers.get(f"{family}-reset", ""), headers, now) if after is None else after
        if wait is not None:
            waits.append(wait)
    return max([0.0, *waits]) if waits else None


def remaining(headers: Mapping[str, str]) -> float | None:
    """Return how many requests are left of the tightest quota that the answer tells of."""
    told = [_number(headers.get(f"{family}-remaining", "")) for family in _FAMILIES]
    told += [_number(found.get("r", "")) for found in _policies(headers.get("ratelimit", ""))]
    left = [number for number in told if number is not None]
    return min(left) if left else None


def _structured(text: str) -> Iterator[float]:
    """Yield the seconds of each policy that has nothing left."""
    for found in _policies(text):
        left, seconds = _number(found.get("r", "")), _number(found.get("t", ""))
        if left == 0 and seconds is not None:
            yield seconds
    plain = dict(_PARAMETER.findall(text)) if '"' not in text else {}
    seconds = _number(plain.get("reset", ""))
    if _number(plain.get("remaining", "")) == 0 and seconds is not None:
        yield seconds


def _policies(text: str) -> Iterator[dict[str, str]]:
    for match in _POLICY.finditer(text):
        yield dict(_PARAMETER.findall(match[1]))


def _reset(text: str, headers: Mapping[str, str], now: datetime) -> float | None:
    """Read a reset: epoch milliseconds, epoch seconds or seconds, by its size; or an HTTP date."""
    number = _number(text)
    if number is None:
        return _until(_date(text), headers, now)
    if number >= _FIRST_MILLISECOND:
        number /= 1000
    elif number < _FIRST_SECOND:
        return number
    return number - (_date(headers.get("date", "")) or now).timestamp()


def _until(moment: datetime | None, headers: Mapping[str, str], now: datetime) -> float | None:
    if moment is None:
        return None
    return max((moment - (_date(headers.get("date", "")) or now)).total_seconds(), 0.0)


def _in_body(content: bytes) -> float | None:
    if len(content) > _LARGEST_BODY:
        return None
    try:
        body: Any = msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    told = body.get("retry_after") if isinstance(body, dict) else None
    if not isinstance(told, int | float) or isinstance(told, bool):
        return None
    return float(told) if told >= 0 and math.isfinite(told) else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
