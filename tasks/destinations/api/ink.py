"""Writing the journal for many requests at once, while others are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Row = dict[str, Any]


class Ink:
    """Collects rows while a transaction is at work, and writes them together in the next one.

    The event loop is never held up by the ledger: each transaction has a thread of its own.
    """

    def __init__(self, keep: Callable[[Sequence[Row]], None]) -> None:
        """Take what writes rows in one transaction."""
        self._keep = keep
        self._waiting: dict[str, Row] = {}
        self._next: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    def later(self, rows: Iterable[Row]) -> None:
        """Let rows be written with the next that are waited for."""
        self._waiting.update((row["id"], row) for row in rows)

    async def write(self, rows: Iterable[Row] = ()) -> None:
        """Return once these rows, and all before them, are durable.

        Raises whatever the transaction raised.
        """
        self.later(rows)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        written = self._next
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(written)

    async def _write(self) -> None:
        while self._next is not None:
            rows, self._waiting = list(self._waiting.values()), {}
            written, self._next = self._next, None
            try:
                if rows:
                    await asyncio.to_thread(self._keep, rows)
                written.set_result(None)
            except Exception as error:  # noqa: BLE001 (it is raised where the rows come from)
                written.set_exception(error)
        self._writing = None
