"""case(value, match, result, …, else): the result beside the first match equal to the value.

`else` may be left out and is null then. Only the chosen result is computed.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.operators import equal

EXAMPLES = [
    ("case('paid', 'open', 1, 'paid', 2)", 2),
    ("case('lost', 'open', 1, 'other')", "other"),
    ("case(null, 'open', 1)", None),
    ("case(1, true, 'yes', 1, 'one', int('never computed'))", "one"),
]


def call(value: Any, match: Any, result: Any, *more: Any) -> Any:
    """Choose the first result whose match is equal."""
    pairs = (match, result, *more)
    for place in range(0, len(pairs) - 1, 2):
        if equal(value, pairs[place]):
            return pairs[place + 1]
    return pairs[-1] if len(pairs) % 2 else None


def emit(emission: Emission, value: str, *sources: str) -> str:
    """Try one after the other, in one flat `or`: Python limits how deep conditionals may nest."""
    subject, chosen = emission.temporary(), emission.temporary()
    tries = [
        f"equal({subject}, {match}) and [{chosen} := {result}]"
        for match, result in zip(sources[::2], sources[1::2], strict=False)
    ]
    tries.append(f"[{chosen} := {sources[-1] if len(sources) % 2 else None}]")
    return f"[{subject} := {value}, {' or '.join(tries)}, {chosen}][2]"
