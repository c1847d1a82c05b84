"""replace(text, old, new): the text with every `old` in it replaced by `new`."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import bounded, reject, text

EXAMPLES = [
    ("replace('a-b-c', '-', '/')", "a/b/c"),
    ("replace('abc', 'b', '')", "ac"),
    ("replace(null, 'a', 'b')", None),
]
REJECTS = ["replace('abc', '', 'x')", "replace(1, 'a', 'b')", "replace('a', null, 'b')"]


def call(value: Any, old: Any, new: Any) -> str | None:
    """Replace."""
    if value is None:
        return None
    subject, wanted, instead = (text("replace()", each) for each in (value, old, new))
    if not wanted:
        reject("replace() cannot look for an empty text")
    bounded("replace()", len(subject) + subject.count(wanted) * (len(instead) - len(wanted)))
    return subject.replace(wanted, instead)
