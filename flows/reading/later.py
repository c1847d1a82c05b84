"""What the file format has names for, but this version cannot do yet.

An entry counts only while the model refuses it, so building the feature is enough to lift it.
"""

from __future__ import annotations

_KEYS: dict[str, str] = {
    "": "endpoints authentication endpoint validation",
    "source": "graphql",
    "push.to": "file format s3 webhook",
}
_VALUES: dict[str, str] = {}
_NOT_YET = "is not available yet in this version"


def later_key(parent: str, key: str) -> str:
    """Return the message for a key of a later version, or an empty text."""
    return f"`{key}` {_NOT_YET}" if key in _KEYS.get(parent, "").split() else ""


def later_value(path: str, value: object) -> str:
    """Return the message for a value of a later version, or an empty text."""
    known = str(value) in _VALUES.get(path, "").split()
    return f"`{value}` {_NOT_YET}" if known else ""
