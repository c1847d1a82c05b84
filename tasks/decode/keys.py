"""The path of the records as a chain of keys."""

from __future__ import annotations

from astrio.tasks.paths import Every, compile_path


def keys_to(records: str) -> tuple[str, ...] | None:
    """Return the keys that lead to the list of records; None: the path is no chain of keys."""
    path = compile_path(records)
    steps = path.steps[:-1] if path.steps[-1:] == (Every.ITEM,) else path.steps
    keys = tuple(step for step in steps if isinstance(step, str))
    return keys if path.expression is None and len(keys) == len(steps) else None
