"""What may be told of a value that broke a rule: its kind and size, never the value itself."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind

_TELLING = 8
_SHORTEST_SECRET = 3
_MOST_LEAVES = 10_000
_MOST_BITS = 10_000
_DIGITS_A_BIT = 0.30103


def redacted(value: Any) -> str:
    """Return a value's kind and size; of texts of eight characters or more the first one too."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return f"an object of {_counted(len(value), 'key')}"
    if isinstance(value, list | tuple):
        return f"a list of {_counted(len(value), 'element')}"
    return _number(value) if isinstance(value, int | float) else kind(value)


def without_values(message: str, record: Any) -> str:
    """Return a message of someone else's code with the record's values in it replaced by `…`.

    Values of fewer than three characters tell nothing by themselves, and stay. Of a record with
    very many values, the message is not told.
    """
    leaves = _leaves(record)
    if leaves is None:
        return "…"
    found = {_written(value) for value in leaves}
    for text in sorted(found, key=len, reverse=True):
        if len(text) >= _SHORTEST_SECRET:
            message = message.replace(text, "…")
    return message


def _leaves(record: Any) -> list[Any] | None:
    """Return the values within a record, None if they are very many."""
    waiting, found = [record], list[Any]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif not isinstance(value, bool):
            found.append(value)
        if len(waiting) + len(found) > _MOST_LEAVES:
            return None
    return found


def _written(value: Any) -> str:
    """Return a value as a message would hold it, an empty text if none can."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (hostile data may raise anything)
        return ""


def _number(value: float) -> str:
    if isinstance(value, bool):
        return kind(value)
    if isinstance(value, float):
        return "a number with a fraction"
    return f"a whole number of {_counted(_digits(value), 'digit')}"


def _text(value: str) -> str:
    size = f"text of {_counted(len(value), 'character')}"
    first = value[:1]
    telling = len(value) >= _TELLING and first.isprintable() and not first.isspace()
    return f'{size}, the first is "{first}"' if telling else size


def _digits(value: int) -> int:
    bits = value.bit_length()
    return len(str(abs(value))) if bits <= _MOST_BITS else int(bits * _DIGITS_A_BIT) + 1


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
