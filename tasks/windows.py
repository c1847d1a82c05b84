"""Time windows: a slice read piece by piece, and split where an API caps its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.cursors import later, like, middle, parse_cursor
from astrio.tasks.durations import parse_lookback
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.incremental_settings import IncrementalSettings

MOST_WINDOWS: Final = 100_000
Width = timedelta | int | float


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a slice, oldest first.

    Attributes:
        whole: the slice, both ends known.
        request: the first page's request of a window.
        step: how wide a window is; None: as wide as the slice.
        cap: how many records the API gives at most for one window; None: no such limit.
    """

    whole: Window
    request: Callable[[Window], ApiRequest]
    step: Width | None = None
    cap: int | None = None

    def first(self) -> Window:
        """Return the first window."""
        return self._from(self.whole.start)

    def after(self, window: Window) -> Window | None:
        """Return the window that follows; None: the slice is read."""
        if parse_cursor(window.end) >= parse_cursor(self.whole.end):
            return None
        return self._from(window.end)

    def half(self, window: Window) -> Window | None:
        """Return the first half of a window that holds too much; None: it cannot be halved."""
        end = middle(window.start, window.end)
        return None if end is None else Window(window.start, end)

    def _from(self, start: Any) -> Window:
        end = self.whole.end
        if self.step is not None:
            reached = later(start, self.step)
            if parse_cursor(reached) <= parse_cursor(start):
                raise ConfigurationError(
                    f"incremental.step is smaller than what the cursor {start!r} can tell.",
                    advice="Give a wider step, or a start with a time of day.",
                )
            end = reached if parse_cursor(reached) < parse_cursor(end) else end
        return Window(start, end)


def windows_of(
    settings: IncrementalSettings,
    window: Window,
    cap: int | None,
    request: Callable[[Window], ApiRequest],
) -> Windows | None:
    """Return the windows of a slice; None: it is read as a whole.

    Raises:
        ConfigurationError: one of its ends is not known.
    """
    if settings.step is None and cap is None:
        return None
    if window.start is None or window.end is None:
        raise ConfigurationError(
            "Windows need a beginning: the slice's start is not known.",
            advice="Give incremental.start.",
        )
    start, end = parse_cursor(window.start), parse_cursor(window.end)
    if (start.moment is None) != (end.moment is None):
        raise ConfigurationError(
            "Windows need a cursor that is a time, or a bound that counts.",
            advice="Give --until as a number, or leave incremental.step and paginate.cap out.",
        )
    # A date alone could not be halved, nor stepped through by hours.
    first = window.start if start.moment is None else like(start, window.end)
    step = None if settings.step is None else parse_lookback(settings.step)
    made = Windows(Window(first, window.end), request, step, cap)
    if step is not None and parse_cursor(later(first, step * MOST_WINDOWS)) < end:
        raise ConfigurationError(
            f"incremental.step cuts the slice from {first} to {window.end} into more than "
            f"{MOST_WINDOWS:,} windows.",
            advice="Give a wider step, or a later start.",
        )
    return made
