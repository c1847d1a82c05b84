"""What every format can do."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from astrio.tasks.destinations.files import formats
from astrio.tasks.destinations.files.spool import Spool
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import Column


class FileFormat(ABC):
    """Writes the rows of one file, chunk by chunk, in memory that does not grow with them.

    To add one, write a module in `formats` whose class is called `Format`, and name it in
    `astrio.tasks.destinations.files.target`.

    Attributes:
        native: the Python types that it takes; values of others become text.
        finite: it has no numbers beyond the finite ones.
    """

    native: ClassVar[frozenset[type]]
    finite: ClassVar[bool] = True

    def __init__(self, spool: Spool, *, escape_formulas: bool = False) -> None:
        """Take where to write to; nothing is opened before the first rows."""
        self._spool = spool
        self._escapes = escape_formulas

    @abstractmethod
    def write(self, rows: Rows, columns: Sequence[Column]) -> None:
        """Write rows, of which there may be none; `columns` are their values, made by `take`."""

    @abstractmethod
    def finish(self) -> None:
        """Complete the spool's file, which exists then even without rows; no pieces stay."""


def format_of(name: str) -> type[FileFormat]:
    """Return the class of a format.

    Raises:
        ConfigurationError: what it needs is not installed.
    """
    module: Any = importlib.import_module(f"{formats.__name__}.{name}")
    found: type[FileFormat] = module.Format
    return found
