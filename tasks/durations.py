"""Durations as the file writes them: `30s`, `5m`, `2h`, `1d`, `1w`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_WHOLE = re.compile(rf"\s*(?:{_PART.pattern}\s*)+")


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: the text is none, or longer than a timedelta can be.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no duration: write 30s, 5m, 2h, 1d, 1w or 1h30m")
    seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{text!r} is too long a duration") from None


def parse_lookback(value: str | float) -> timedelta | int | float:
    """Read a lookback: a duration, or a plain number for cursors that count.

    Raises:
        ValueError: it is neither, or negative.
    """
    if isinstance(value, str) and not re.fullmatch(r"\s*\d+\s*", value):
        return parse_duration(value)
    number = int(value) if isinstance(value, str) else value
    if not 0 <= number < float("inf"):
        raise ValueError("a lookback reaches back: give a number that is not negative")
    return number
