"""What a gateway tells its user: nothing before it listens, and that it listens first of all."""

from __future__ import annotations

from collections.abc import Callable

from astrio.blocks.errors import AstrioError


class Telling:
    """Keeps lines until it is begun, and hands each one on from then on.

    Every part of a gateway is given the same one, whenever it is made.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        """Take what shows a line."""
        self._tell = tell
        self._kept: list[str] | None = []

    def __call__(self, line: str) -> None:
        """Tell a line, or keep it for `begin`."""
        if self._kept is None:
            self._tell(line)
        else:
            self._kept.append(line)

    def begin(self, *lines: str) -> None:
        """Tell these lines, then those that were kept; keep none any more."""
        kept, self._kept = self._kept or [], None
        for line in (*lines, *kept):
            self._tell(line)


def explained(error: AstrioError) -> str:
    """Return an error's message, and what to do on a line of its own."""
    return "\n  ".join(filter(None, (error.message, error.advice)))
