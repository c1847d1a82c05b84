"""Whether it makes sense to go on sending."""

from __future__ import annotations

from typing import Final

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.api.sender import Answered

_MOST_DENIED: Final = 10
_MOST_FAULTS: Final = 5


class Health:
    """Follows the answers of a run.

    Attributes:
        fatal: why nothing more is sent; None: it makes sense to go on.
    """

    def __init__(self) -> None:
        self.fatal: AstrioError | None = None
        self._denial: AstrioError | None = None
        self._denied = self._others = self._faults = 0

    def note(self, answered: Answered) -> None:
        """Follow an answer.

        The run fails at once where an answer says that no other will be better; after five
        requests in a row without a useful answer; and where the first ten are all denied.
        """
        error = answered.error
        self._faults = self._faults + 1 if answered.state in ("faulty", "unknown") else 0
        if answered.state == "denied":
            self._denied, self._denial = self._denied + 1, self._denial or error
        else:
            self._others += 1
        if answered.fatal or self._faults >= _MOST_FAULTS:
            self.fatal = self.fatal or error
        if self._denied >= _MOST_DENIED:
            self.close()

    def close(self) -> None:
        """End a chunk: where all that was sent so far was denied, the run fails."""
        if self._denied and not self._others:
            self.fatal = self.fatal or self._denial
