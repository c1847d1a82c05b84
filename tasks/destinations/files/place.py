"""Where files are put: what a place must be able to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from astrio.blocks.errors import DestinationBusyError

Traces = dict[str, Any]
"""What is noted of a file on its way (JSON values), so that another process can go on with it."""


class NotShownYetError(DestinationBusyError):
    """It is not known whether the file is in its place; the next run finds out, and sees to it."""


class Place(Protocol):
    """A place for files. Calls are blocking and come from one thread at a time."""

    def plan(self, name: str, run_id: str) -> Traces:
        """Say what will be made for a file of that name; nothing is done yet."""
        ...

    def begin(self, traces: Traces) -> Traces:
        """Make ready, and fail early if the file could not be put there; return what to note.

        Raises:
            AstrioError: the place cannot be written to.
        """
        ...

    def spool(self, traces: Traces) -> Path:
        """Return the path of the temporary file."""
        ...

    def secure(self, traces: Traces, *, adds: bool) -> Traces:
        """Make the complete temporary file outlast whatever comes; return what to note.

        Args:
            traces: as `begin` returned them.
            adds: the file takes the place of none.

        Raises:
            AstrioError: it could not be done.
        """
        ...

    def publish(self, traces: Traces) -> bool:
        """Put the file in its place; may be called again. False: it is gone, and was never shown.

        Raises:
            NotShownYetError: that is not known.
            AstrioError: it was not put there, and will not be.
        """
        ...

    def discard(self, traces: Traces) -> None:
        """Remove what is left of a file that will not be shown, as far as that is possible."""
        ...

    def there(self, traces: Traces) -> bool:
        """Whether there is a file of that name."""
        ...

    def on_disk(self, traces: Traces) -> Path:
        """Return the path that a fault of this machine's disk is told of."""
        ...

    def shown(self, traces: Traces) -> str:
        """Return the file's name as people are told it."""
        ...
