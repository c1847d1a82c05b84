"""Opening DuckDB files, which one process at a time may have."""

from __future__ import annotations

import re
from time import monotonic, sleep
from typing import Any, Final

import duckdb

LOCKED: Final = re.compile(r"Could not set lock|different configuration")
_POLL_SECONDS: Final = 0.05


def opened(
    path: str, *, config: dict[str, Any], patience: float, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return a connection; wait a moment for others, which may only have looked into the file.

    Args:
        path: the file.
        config: DuckDB's own settings.
        patience: for how long to wait, in seconds.
        read_only: share the file with others who read; where this very process writes it, the
            connection could write too.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    until = monotonic() + patience
    while True:
        try:
            return _connected(path, config, read_only=read_only)
        except duckdb.Error as error:
            if not LOCKED.search(str(error)) or monotonic() > until:
                raise
        sleep(_POLL_SECONDS)


def _connected(path: str, config: dict[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if not read_only:
        return duckdb.connect(path, config=config)
    try:
        return duckdb.connect(path, read_only=True, config=config)
    except duckdb.ConnectionException:  # this very process writes
        return duckdb.connect(path, config=config)
