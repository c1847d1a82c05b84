"""What people call a destination: its table, or its address where it has none of a name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from astrio.tasks.destinations.other import OtherTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.settings import PushSettings

_MADE_UP = re.compile(r"[a-z0-9]+_[0-9a-f]{12}")


def called(table: str, address: str) -> str:
    """Return the table, or the address if the table's name was made up from it.

    Args:
        table: as the file says, or as `OtherTarget.stream` makes one up.
        address: a URL, or a path: one of the current folder is given as it lies within.
    """
    if not address or not _MADE_UP.fullmatch(table):
        return table
    return address.removeprefix(f"{Path.cwd()}{os.sep}")


def called_by(push: PushSettings) -> str:
    """Return what people call the destination of one push."""
    to = push.to
    return called(push.table, to.reference if isinstance(to, OtherTarget) else "")
