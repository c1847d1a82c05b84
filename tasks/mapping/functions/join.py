"""join(list, separator): the list's texts and numbers as one text; nulls are skipped."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import as_text, bounded, items, text

EXAMPLES = [
    ("join(['a', null, 7], ', ')", "a, 7"),
    ("join([], ',')", ""),
    ("join(null, ',')", None),
]
REJECTS = ["join('abc', ',')", "join([[1]], ',')", "join(['a'], null)"]


def call(values: Any, separator: Any) -> str | None:
    """Join."""
    if values is None:
        return None
    given = items("join()", values)
    parts = [as_text("join()", value) for value in given if value is not None]
    sign = text("join()", separator)
    bounded("join()", sum(map(len, parts)) + len(sign) * len(parts))
    return sign.join(parts)
