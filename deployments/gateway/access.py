"""The access log: a line of JSON for each request, written in batches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Self

from astrio.deployments.cli.output import results

_EVERY: Final = 0.2  # seconds


class AccessLog:
    """Collects entries, and writes them to standard output a few times a second."""

    def __init__(self, on: bool) -> None:
        """Take whether there is anything to write."""
        self._on = on
        self._lines: list[str] = []
        self._task: asyncio.Task[None] | None = None

    def entry(self, entry: Mapping[str, Any]) -> None:
        """Note one request."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(json.dumps({"at": at, **entry}))

    async def __aenter__(self) -> Self:
        """Begin to write."""
        if self._on:
            self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._flush()

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            results().write("\n".join([*lines, ""]))
            results().flush()
