"""From what a source yields, one by one or in lists, to pages; plain generators have a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from functools import partial
from typing import Any, Final, NamedTuple

from astrio.blocks.errors import ConnectorError
from astrio.tasks.mapping.values import kind
from astrio.tasks.tuning import PIECE_BYTES
from astrio.tasks.weighing import weight, weights

_CLOSING_SECONDS: Final = 10.0
_ADVICE: Final = "Yield records (dicts), or lists of records."


class Gathered(NamedTuple):
    """The records of a page, and how large they are, in bytes, about."""

    records: list[Any]
    weight: int


class _Gathering:
    """Makes pages of single records, until they are many or large; a list is a page of its own."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: list[Any] = []
        self._weight = 0

    def add(self, item: Any) -> list[Gathered]:
        """Return the pages that are complete."""
        if isinstance(item, dict):
            self._held.append(dict(item))  # the source may fill the same one anew
            self._weight += weight(item)
            full = len(self._held) >= self._size or self._weight >= PIECE_BYTES
            return self.rest() if full else []
        if isinstance(item, list | tuple):
            return [*self.rest(), Gathered(list(item), weights(item))]
        raise ConnectorError(f"The source yielded {kind(item)}.", advice=_ADVICE)

    def rest(self) -> list[Gathered]:
        """Return the page of what is left."""
        page = Gathered(self._held, self._weight)
        self._held, self._weight = [], 0
        return [page] if page.records else []


async def gathered(items: Any, size: int) -> AsyncGenerator[Gathered, None]:
    """Yield pages of at most `size` single records, and each list as it is.

    Args:
        items: what the source's function returned.
        size: of pages that are gathered.

    Raises:
        ConnectorError: these are no records.
    """
    if isinstance(items, AsyncIterable):
        pages = _of_async(items, size)
    elif isinstance(items, Iterable) and not isinstance(items, str | dict):
        pages = _in_a_thread(_of_plain(items, size))
    else:
        raise ConnectorError(f"The source returned {kind(items)}.", advice=_ADVICE)
    async with aclosing(pages):
        async for page in pages:
            yield page


async def _of_async(items: AsyncIterable[Any], size: int) -> AsyncGenerator[Gathered, None]:
    gathering = _Gathering(size)
    try:
        async for item in items:
            for page in gathering.add(item):
                yield page
        for page in gathering.rest():
            yield page
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


def _of_plain(items: Iterable[Any], size: int) -> Iterator[Gathered]:
    gathering = _Gathering(size)
    try:
        for item in items:
            yield from gathering.add(item)
        yield from gathering.rest()
    finally:
        if callable(close := getattr(items, "close", None)):
            close()


async def _in_a_thread(pages: Iterator[Gathered]) -> AsyncGenerator[Gathered, None]:
    """Yield what an iterator gives, which is called in one thread of its own.

    So it holds nothing up, and may use what belongs to a thread, such as a SQLite connection. It
    sees the context variables of the run, so that what it logs reaches the run's log.
    """
    within, step = copy_context().run, partial(next, pages, None)
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="source")
    try:
        while (page := await loop.run_in_executor(thread, within, step)) is not None:
            yield page
    finally:
        closing = loop.run_in_executor(thread, within, pages.close)  # type: ignore[attr-defined]  # a generator
        await asyncio.wait({closing}, timeout=_CLOSING_SECONDS)
        thread.shutdown(wait=False)
