"""Cutting a range of cursor values into chunks, each of which is read by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.cursors import like, parse_cursor
from astrio.tasks.durations import parse_lookback
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.windows import Windows

MOST_CHUNKS: Final = 10_000
_DAY: Final = timedelta(days=1)


def chunks(whole: Window, width: str) -> list[Window]:
    """Return the windows of a range, oldest first; the last one may be narrower.

    Args:
        whole: the range, both ends known.
        width: a duration, or a number for cursors that count.

    Raises:
        ConfigurationError: the width does not fit the bounds, or makes too many chunks.
    """
    step = _width(width)
    start, end = parse_cursor(whole.start), parse_cursor(whole.end)
    if (start.moment is None) != (end.moment is None):
        raise ConfigurationError(
            f"The range from {whole.start} to {whole.end} begins and ends with different kinds "
            "of values.",
            advice="Give --since and --until both as times, or both as numbers.",
        )
    windows = Windows(Window(_first(whole, step), whole.end), _unasked, step)
    found: list[Window] = []
    try:
        window: Window | None = windows.first()
        while window is not None:
            found.append(window)
            if len(found) > MOST_CHUNKS:
                raise ConfigurationError(
                    f"--chunk {width} cuts the range into more than {MOST_CHUNKS:,} chunks.",
                    advice="Give a wider chunk, or a smaller range.",
                )
            window = windows.after(window)
    except ApiAnswerError as error:
        raise ConfigurationError(
            f"--chunk {width} does not fit the range from {whole.start} to {whole.end}.",
            advice="Give a duration (1d, 12h) for times, and a number for cursors that count.",
        ) from error
    return found


def _width(text: str) -> timedelta | int | float:
    try:
        width = parse_lookback(text)
    except ValueError as error:
        raise ConfigurationError(
            f"--chunk {text}: {error}.", advice="Write e.g. --chunk 1d, or --chunk 10000."
        ) from None
    if width in (0, timedelta(0)):
        raise ConfigurationError("--chunk must be wider than nothing.", advice="Write e.g. 1d.")
    return width


def _first(whole: Window, step: timedelta | float) -> Any:
    """Return the beginning in a form that can tell each chunk's end: a date tells days only."""
    start = parse_cursor(whole.start)
    if start.moment is None or not isinstance(step, timedelta) or step % _DAY == timedelta(0):
        return whole.start
    dated = len(str(whole.start).strip()) == len("2000-01-01")
    return like(start, "2000-01-01T00:00:00Z") if dated else whole.start


def _unasked(window: Window) -> ApiRequest:
    raise NotImplementedError  # chunks are asked for by runs of their own
