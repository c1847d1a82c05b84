"""How often something may happen, as `50/s`, `100/min`, `1000/h` or `10/10s`."""

from __future__ import annotations

import re

_RATE = re.compile(r"(\d+(?:\.\d+)?) ?/ ?(\d+)?(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def check_rate(text: str) -> str:
    """Return a rate, or an empty text, as it was given.

    Raises:
        ValueError: it is no rate.
    """
    if text:
        per_second(text)
    return text


def per_second(text: str) -> float:
    """Return how many a second a rate stands for.

    Raises:
        ValueError: it is no rate.
    """
    found = _RATE.fullmatch(text)
    many, span = (float(found[1]), int(found[2] or 1)) if found else (0.0, 0)
    if found is None or not many or not span:
        raise ValueError("write a rate as 50/s, 100/min, 1000/h or 10/10s")
    return many / (span * _SECONDS[found[3]])
