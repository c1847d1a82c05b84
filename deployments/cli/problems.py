"""What is wrong with a record, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def told(problem: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell a problem: the reason, the value's kind, the expression's place."""
    where = problem.get("field") or "the record"
    yield f"{where} ({problem.get('rule')}): {problem.get('reason')}"
    if value := problem.get("value"):
        yield f"  the value: {value}"
    if expression := problem.get("expression"):
        # On one line, so that the caret stands below what it points at.
        yield f"  {' '.join(str(expression).splitlines())}"
        if position := problem.get("position"):
            yield f"  {' ' * (int(position) - 1)}^"
