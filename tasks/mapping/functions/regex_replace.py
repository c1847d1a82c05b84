r"""regex_replace(text, pattern, by): every place that a regular expression finds, replaced.

`\\1` in `by` is the first group's text. The syntax is RE2's, which takes linear time.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import bounded, text
from astrio.tasks.regex import Regex, prepared_pattern, regex_of

EXAMPLES = [
    ("regex_replace('+49 (30) 12-34', '[^0-9+]', '')", "+49301234"),
    (r"regex_replace('Lovelace, Ada', '(\\w+), (\\w+)', '\\2 \\1')", "Ada Lovelace"),
    ("regex_replace(null, 'a', 'b')", None),
]
REJECTS = ["regex_replace(1, 'a', 'b')", "regex_replace('a', 'a', null)"]
prepare = prepared_pattern(1)


def call(value: Any, pattern: Any, by: Any) -> str | None:
    """Replace all."""
    if value is None:
        return None
    regex: Regex = regex_of("regex_replace()", pattern)
    given, new = text("regex_replace()", value), text("regex_replace()", by)
    bounded("regex_replace()", len(given) + (len(given) + 1) * len(new))
    return regex.replace("regex_replace()", new, given)
