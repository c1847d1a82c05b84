"""Reading a slice window by window; a window that holds more than the API gives is halved."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.incremental import Window, higher
from astrio.tasks.read_plan import ReadPlan, position
from astrio.tasks.slice_reading import SliceReading
from astrio.tasks.windows import Windows


@dataclass(slots=True)
class _Place:
    """Where a reading stands: the window, and what was read of it and before it.

    Attributes:
        received: records of this window.
        cursor: the highest cursor of this window.
        claimed: the total of the windows before, None: one of them named none.
    """

    window: Window
    received: int = 0
    cursor: Any = None
    claimed: int | None = 0

    def to_json(self) -> dict[str, Any]:
        window = {"start": self.window.start, "end": self.window.end}
        return {
            "window": window,
            "received": self.received,
            "cursor": self.cursor,
            "claimed": self.claimed,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> _Place:
        return cls(**{**stored, "window": Window(**stored["window"])})


class WindowedReading:
    """One pass over a slice of several windows, oldest first.

    The cursor of a window's records is told with its last page, so that the watermark never lies
    in the midst of a window. Where the API caps its results, the pages of a window are held back
    until it is known that the window is whole: as many records at most as the API gives.
    """

    def __init__(self, client: ApiClient, plan: ReadPlan, windows: Windows) -> None:
        """Take the client, what to read, and in which windows."""
        self._client = client
        self._plan = plan
        self._windows = windows
        self._doubt: str | None = None

    def in_doubt(self) -> str | None:
        """Return why what was read may not be all, None if nothing says so."""
        return self._doubt

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Yield the pages of all windows, numbered through.

        Raises:
            ApiAnswerError: a window that cannot be halved holds more than the API gives.
        """
        plan, resumed = self._plan, self._plan.place is not None
        place: _Place | None = (
            _Place.of(plan.place) if plan.place else _Place(self._windows.first())
        )
        number, left = plan.pages_before, plan.limit
        while place is not None:
            reading = SliceReading(self._client, self._part(place, number, left, resumed=resumed))
            following: _Place | None = None
            try:
                async with aclosing(self._window(reading, place, resumed=resumed)) as pages:
                    async for page, ahead in pages:
                        number, following = page.number, ahead
                        left = None if left is None else left - page.fetched
                        yield page
            except _OverfullError:
                following = self._halved(place)
            else:
                self._doubt = self._doubt or reading.in_doubt()
            place, resumed = following, False

    def _part(self, place: _Place, number: int, left: int | None, *, resumed: bool) -> ReadPlan:
        """Return the plan of one window."""
        return replace(
            self._plan,
            first=self._windows.request(place.window),
            windows=None,
            resume=self._plan.resume if resumed else None,
            place=None,
            pages_before=number,
            received_before=place.received,
            limit=left,
            claimed=None,
        )

    async def _window(
        self, reading: SliceReading, place: _Place, *, resumed: bool
    ) -> AsyncGenerator[tuple[Page, _Place | None], None]:
        """Yield a window's pages, and with the last one where the reading goes on.

        Raises:
            _OverfullError: the window holds more than the API gives; nothing of it was yielded.
        """
        cap = None if resumed else self._windows.cap
        held: list[Page] = []
        async with aclosing(reading.pages()) as pages:
            async for page in pages:
                held.append(page)
                named = reading.total.named
                if cap is not None:
                    found = sum(each.fetched for each in held) if named is None else named
                    if found >= cap:
                        raise _OverfullError
                    if named is None and page.stop_reason is None:
                        continue
                for each in held:
                    yield self._told(each, place)
                held.clear()

    def _told(self, page: Page, place: _Place) -> tuple[Page, _Place | None]:
        """Return a page of a window as one of the whole slice."""
        place.received += page.fetched
        if page.cursor is not None:
            known = place.cursor
            place.cursor = page.cursor if known is None else higher(known, page.cursor)
        claimed = _sum(place.claimed, page.claimed)
        page.claimed = page.cursor = None
        following: _Place | None = None
        if page.resume is not None:
            page.resume = {**page.resume, "place": place.to_json()}
        elif page.stop_reason not in (None, "limit"):
            page.cursor = place.cursor
            window = self._windows.after(place.window)
            if window is None:
                page.claimed = claimed
            else:
                following = _Place(window, claimed=claimed)
                page.resume = position(self._windows.request(window), following.to_json())
                page.stop_reason = None
        return page, following

    def _halved(self, place: _Place) -> _Place:
        half = self._windows.half(place.window)
        if half is None:
            raise ApiAnswerError(
                f"From {place.window.start} to {place.window.end} there are "
                f"{self._windows.cap:,} records or more, which is all that the API gives for one "
                "query, and no smaller window can be asked for.",
                advice="Correct paginate.cap, or ask for less by another parameter.",
            )
        return _Place(half, claimed=place.claimed)


class _OverfullError(Exception):
    """A window holds more than the API gives."""


def _sum(before: int | None, more: int | None) -> int | None:
    return None if before is None or more is None else before + more
