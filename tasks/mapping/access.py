"""Null-safe steps into values: what the generated source falls back on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from astrio.tasks.mapping.values import kind, reject

_NOTHING: Final[dict[str, Any]] = {}


def record_of(value: Any) -> dict[str, Any]:
    """Return a source record, which must be an object."""
    if not isinstance(value, dict):
        reject(f"the record is {kind(value)}, not an object")
    return value


def object_of(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one: a path through it is null."""
    return value if isinstance(value, dict) else _NOTHING


def child(value: Any, key: str) -> Any:
    """Return the value under a key; null where there is none."""
    return value.get(key) if isinstance(value, dict) else None


def attribute(value: Any, name: str) -> Any:
    """Return a decoded object's field; null where there is no object."""
    return None if value is None else getattr(value, name)


def element(value: Any, index: int) -> Any:
    """Return a list's element, from the end if negative; null where there is none."""
    if isinstance(value, list) and -len(value) <= index < len(value):
        return value[index]
    return None


def sliced(value: Any, start: int | None, stop: int | None) -> list[Any] | None:
    """Return a part of a list; null where it is no list."""
    return value[start:stop] if isinstance(value, list) else None


def elements(value: Any) -> Sequence[Any]:
    """Return a list's elements; none where it is no list."""
    return value if isinstance(value, list) else ()
