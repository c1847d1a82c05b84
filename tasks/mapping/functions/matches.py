"""matches(text, pattern): whether a regular expression (RE2) is found in it; false for null."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import text
from astrio.tasks.regex import Regex, prepared_pattern, regex_of

EXAMPLES = [
    ("matches('AB-12', '^[A-Z]+-[0-9]+$')", True),
    ("matches('ab', '[0-9]')", False),
    ("matches(null, 'a')", False),
]
REJECTS = ["matches(1, 'a')", "matches('a', 1)"]
prepare = prepared_pattern(1)


def call(value: Any, pattern: Any) -> bool:
    """Search."""
    regex: Regex = regex_of("matches()", pattern)
    return value is not None and regex.search(text("matches()", value)) is not None
