"""drop(value): null, whatever the value is: the column stays, and is empty."""

from __future__ import annotations

from typing import Any

EXAMPLES = [("drop('Ada')", None), ("drop(null)", None)]


def call(value: Any) -> None:
    """Forget the value."""
