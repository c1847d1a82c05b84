"""regex_extract(text, pattern, group): what a regular expression finds; null if nothing.

`group` is the number of a group in brackets; without it, the first group's text, or all that
was found where the pattern has no groups. The syntax is RE2's, which takes linear time.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import reject, text, whole
from astrio.tasks.regex import Regex, prepared_pattern, regex_of

EXAMPLES = [
    ("regex_extract('Order #1234 of May', '#([0-9]+)')", "1234"),
    ("regex_extract('a-1', '[0-9]')", "1"),
    ("regex_extract('2024-02', '([0-9]+)-([0-9]+)', 2)", "02"),
    ("regex_extract('abc', '[0-9]')", None),
    ("regex_extract(null, 'a')", None),
]
REJECTS = ["regex_extract(1, 'a')", "regex_extract('a', 'a', 1)", "regex_extract('a', null)"]
prepare = prepared_pattern(1)


def call(value: Any, pattern: Any, group: Any = None) -> str | None:
    """Search."""
    if value is None:
        return None
    regex: Regex = regex_of("regex_extract()", pattern)
    number = min(regex.groups, 1) if group is None else whole("regex_extract()", group)
    if not 0 <= number <= regex.groups:
        reject(f"regex_extract(): the pattern has no group {number}")
    found = regex.search(text("regex_extract()", value))
    return None if found is None else found[number]
