"""Words for what a JSON value looks like, without its contents: for messages about answers."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_MOST_KEYS = 10
_LONGEST_KEY = 40


def describe(value: Any) -> str:
    """Return e.g. `an object with the keys a, b` or `a list of 3`; never a value."""
    if isinstance(value, dict):
        return f"an object with the keys {names(value)}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return "a text"
    if value is None:
        return "null"
    return "true or false" if isinstance(value, bool) else "a number"


def names(keys: Iterable[Any]) -> str:
    """Return the first keys, comma separated, each shortened."""
    listed = [str(key)[:_LONGEST_KEY] for key in keys]
    more = f" and {len(listed) - _MOST_KEYS} more" if len(listed) > _MOST_KEYS else ""
    return ", ".join(listed[:_MOST_KEYS]) + more


def missing_key(path: str, where: str, step: str | int, node: Any) -> tuple[str, str]:
    """Return message and advice for a step that is not there."""
    wanted = f"key {step!r}" if isinstance(step, str) else f"element {step}"
    message = (
        f"The records path {path} is missing: no {wanted} at {where}, which is {describe(node)}."
    )
    return message, _hint(step, node)


def expected_list(path: str, where: str, node: Any) -> tuple[str, str]:
    """Return message and advice for a list that is something else."""
    message = f"The records path {path} must lead to a list, but {where} is {describe(node)}."
    if not isinstance(node, dict):
        return message, "Set `records` to the path of the list."
    lists = [key for key, value in node.items() if isinstance(value, list)]
    if lists:
        return message, f"A list is found under: {names(lists)}. Set `records` to it."
    return message, f"If its values are the records, write records: {where}.*"


def _hint(step: str | int, node: Any) -> str:
    close = get_close_matches(str(step), map(str, node), 1) if isinstance(node, dict) else []
    if close:
        return f"Did you mean {close[0]!r}?"
    return "Correct `records`, or set allow_missing: true if that means no records."
