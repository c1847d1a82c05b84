"""concat(value, …): texts and numbers joined to one text; nulls are skipped.

Numbers and `true` are written as in JSON, dates as in ISO 8601.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import as_text, bounded

EXAMPLES = [
    ("concat('a', null, 'b')", "ab"),
    ("concat('order-', 17)", "order-17"),
    ("concat(null, null)", ""),
]
_MOST_INLINE = 8


def call(*values: Any) -> str:
    """Join the values."""
    texts = [as_text("concat()", value) for value in values]
    bounded("concat()", sum(map(len, texts)))
    return "".join(texts)


def emit(emission: Emission, *sources: str) -> str:
    """Join by + where all are texts, which is the common case."""
    if not 1 < len(sources) <= _MOST_INLINE:
        return emission.call(*sources)
    plain = [source.isidentifier() or source[0] in "'\"" for source in sources]
    names = [
        source if known else emission.temporary()
        for source, known in zip(sources, plain, strict=True)
    ]
    checked = [f"{name}.__class__ is str" for name in names if name.isidentifier()]
    if not checked:
        return emission.call(*sources)
    bound = [f"{name} := {source}" for name, source in zip(names, sources, strict=True)]
    bindings = ", ".join(each for each, known in zip(bound, plain, strict=True) if not known)
    tests = " and ".join([f"[{bindings}]", *checked] if bindings else checked)
    return f"({' + '.join(names)} if {tests} else {emission.call(*names)})"
