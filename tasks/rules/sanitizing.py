"""`sanitize:`, what is done with texts before the rules judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from astrio.blocks.settings import modules_of
from astrio.tasks.rules import sanitizers as package
from astrio.tasks.rules.unsanitary import SanitizingError

Sanitizer = Callable[[str], str | None]


@cache
def sanitizers() -> dict[str, Sanitizer]:
    """Return every sanitiser by its name."""
    return {module.__name__.rpartition(".")[2]: module.sanitize for module in modules_of(package)}


def sanitizer_mistake(name: str) -> str | None:
    """Return why there is no sanitiser of that name, None if there is one."""
    known = sanitizers()
    if name in known:
        return None
    close = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
    return f"There is no sanitiser {name!r}. {hint}"


class Sanitizing:
    """The sanitisers of one entry, applied in the order in which it names them."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take names that are known."""
        self._steps = [sanitizers()[name] for name in names]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._steps)

    def applied(self, value: Any) -> Any:
        """Return what takes the value's place; what is no text stays as it is.

        Raises:
            SanitizingError: it cannot be sanitised.
        """
        for step in self._steps:
            if isinstance(value, str):
                value = step(value)
        return value

    def all_applied(self, values: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
        """Return the values sanitised, and by their places why some could not be."""
        done: list[Any] = []
        refused: dict[int, str] = {}
        for place, value in enumerate(values):
            try:
                done.append(self.applied(value))
            except Exception as error:  # noqa: BLE001 (hostile data may raise anything)
                told = isinstance(error, SanitizingError)
                done.append(value)
                refused[place] = str(error) if told else "cannot be sanitised"
        return done, refused
