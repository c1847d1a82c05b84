"""normalize_unicode: Unicode's form NFC, in which equal texts are equal code points.

Normalising takes time quadratic in the length of a run of combining marks. Thirty in a row are
more than any language needs (Unicode's Stream-Safe Text Format, UAX 15); longer runs are refused.
"""

from __future__ import annotations

import re
from itertools import groupby
from unicodedata import combining, is_normalized, normalize

from astrio.tasks.rules.unsanitary import SanitizingError

_MOST_MARKS = 30
_SUSPECT = re.compile(f"[^\x00-\u02ff]{{{_MOST_MARKS + 1}}}")  # the first mark is U+0300


def sanitize(text: str) -> str:
    """Normalise."""
    if text.isascii():
        return text
    if _SUSPECT.search(text) and _longest_run(text) > _MOST_MARKS:
        raise SanitizingError(f"has more than {_MOST_MARKS} combining marks in a row")
    return text if is_normalized("NFC", text) else normalize("NFC", text)


def _longest_run(text: str) -> int:
    runs = groupby(text, key=lambda sign: combining(sign) != 0)
    return max((sum(1 for _ in run) for marks, run in runs if marks), default=0)
