"""Asking for pages before they are due, where they can be known beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from astrio.tasks.http.request import ApiRequest

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Answers by their requests; one that was not asked for ahead is asked for when it is due.

    A failure is raised only where its page is due, so what is read does not depend on how much was
    asked for ahead.
    """

    def __init__(self, ask: Callable[[ApiRequest, int], Awaitable[T]]) -> None:
        """Take what asks for a page, given its request and its number."""
        self._ask = ask
        self._coming: dict[bytes, asyncio.Task[T]] = {}

    @property
    def busy(self) -> bool:
        """Whether something is coming."""
        return bool(self._coming)

    def expect(self, requests: Iterable[ApiRequest], number: int) -> None:
        """Ask for these pages, of which the first is page `number`; others are given up."""
        wanted = {request.identity(): (request, place) for place, request in enumerate(requests)}
        for identity in [each for each in self._coming if each not in wanted]:
            self._coming.pop(identity).cancel()
        for identity, (request, place) in wanted.items():
            if identity not in self._coming:
                asking = self._asked(request, number + place)
                self._coming[identity] = asyncio.create_task(asking)

    async def get(self, request: ApiRequest, number: int) -> T:
        """Return the answer to a request; raises what asking for it raises."""
        task = self._coming.pop(request.identity(), None) if self._coming else None
        if task is None:
            return await self._ask(request, number)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def aclose(self) -> None:
        """Give up what is still coming."""
        tasks = list(self._coming.values())
        self._coming.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _asked(self, request: ApiRequest, number: int) -> T:
        return await self._ask(request, number)
