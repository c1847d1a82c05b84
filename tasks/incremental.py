"""The incremental window and the watermark (contract.md, *Commit, resume, watermark*)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.tasks.cursors import Cursor, earlier, like, parse_cursor
from astrio.tasks.durations import parse_lookback
from astrio.tasks.incremental_settings import IncrementalSettings

_PLAUSIBLE_YEARS = (2000, 5)  # from this year, to so many years after the window's end


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) of a run, as the source writes its cursor; None: open. JSON values.

    Attributes:
        strict: what lies outside of it is left out even where the API gives it.
    """

    start: Any = None
    end: Any = None
    strict: bool = False


def plan_window(  # noqa: PLR0913 (the run's options are given by name)
    settings: IncrementalSettings | None,
    watermark: Any,
    now: datetime,
    *,
    since: str | None = None,
    until: str | None = None,
    full_refresh: bool = False,
) -> Window:
    """Return this run's window; its end is fixed here, once, at the run's start.

    Args:
        settings: `source.incremental`; None: the window is open.
        watermark: the saved watermark, None on the first run.
        now: the start of the run, with its time zone.
        since: lower bound for this run only.
        until: upper bound for this run only.
        full_refresh: ignore the watermark.

    Raises:
        ConfigurationError: `since` or `until` cannot be read, or leave nothing between them.
        ApiAnswerError: the lookback does not fit the watermark.
    """
    if settings is None:
        return Window()
    if settings.token is not None:
        return _of_token(watermark, since, until, full_refresh=full_refresh)
    end = _end(settings, watermark, now) if until is None else _bound(until, watermark, "--until")
    if since is not None:
        start = _bound(since, watermark, "--since")
        if not _before(start, end):
            raise ConfigurationError(
                f"The window is empty: it starts at {start} and ends at {end}.",
                advice="Give a --since that lies before --until (or before now).",
            )
    elif watermark is None or full_refresh:
        start = settings.start
    else:
        start = watermark
        if settings.lookback is not None:
            start = earlier(watermark, parse_lookback(settings.lookback))
    return Window(start, end)


def sent_bounds(settings: IncrementalSettings, window: Window) -> Window:
    """Return the bounds to ask for, so that no record of [start, end) is left out by the API.

    An API that leaves out its lower bound is asked for one unit before it; one that gives its
    upper bound, too, for one unit less, if `granularity` says what a unit is.

    Raises:
        ApiAnswerError: the granularity does not fit the cursor.
    """
    start, end = window.start, window.end
    unit = None if settings.granularity is None else parse_lookback(settings.granularity)
    if start is not None and settings.range_start == "open":
        start = earlier(start, _usual_unit(settings, start) if unit is None else unit)
    if end is not None and settings.range_end == "closed" and unit is not None:
        end = earlier(end, unit)
    return Window(start, end)


def _usual_unit(settings: IncrementalSettings, start: Any) -> timedelta | int:
    if parse_cursor(start).moment is None:
        return 1
    dates = settings.format == "date" or len(str(start).strip()) == len("2000-01-01")
    return timedelta(days=1) if dates else timedelta(seconds=1)


def _of_token(
    watermark: Any, since: str | None, until: str | None, *, full_refresh: bool
) -> Window:
    if since is not None or until is not None:
        raise ConfigurationError(
            "--since and --until need incremental.cursor: a token has no order.",
            advice="Run without them, or with --full-refresh.",
        )
    return Window(None if full_refresh else watermark, None)


def advance(watermark: Any, cursor: Any, end: Any) -> Any:
    """Return the new watermark: the highest cursor written, never moved back, capped at `end`.

    A number is capped if it is known to be a time: because `end` is a number too
    (`format: epoch`), or because its size says so.

    Raises:
        ApiAnswerError: watermark and cursor are of different kinds.
    """
    if cursor is None:
        return watermark
    capped = cursor if end is None else _capped(watermark, cursor, parse_cursor(end))
    return capped if watermark is None else higher(watermark, capped)


def higher(first: Any, second: Any) -> Any:
    """Return the higher of two cursor values, as it was written; the first if they are equal.

    Raises:
        ApiAnswerError: they are of different kinds.
    """
    return second if parse_cursor(second) > parse_cursor(first) else first


def format_bound(value: Any, form: str | None, zone: str | None = None) -> Any:
    """Return a bound as the API wants it: `iso`, `date`, `epoch`, `epoch_ms`, strftime, or as is.

    With a zone, dates and strftime texts tell its local time, and what is written as is loses its
    offset, since the API writes none.

    Raises:
        ConfigurationError: the value is no time.
    """
    if value is None or (form is None and zone is None):
        return value
    try:
        time = parse_cursor(value).as_time()
    except ApiAnswerError:
        time = None
    if form is None and (time is None or not isinstance(value, str)):
        return value
    if time is None or time.moment is None:
        raise ConfigurationError(
            f"incremental.format is {form!r}, but the bound {value!r} is no time.",
            advice="Leave `format` out for cursors that only count.",
        )
    moment = time.moment.astimezone(ZoneInfo(zone) if zone else UTC)
    if form is None:
        local = moment.replace(tzinfo=None, microsecond=time.nanos // 1000)
        return local.isoformat(sep=" " if " " in value else "T")
    seconds = int(moment.timestamp())
    known = {
        "iso": like(time, "2000-01-01T00:00:00Z"),
        "date": moment.strftime("%Y-%m-%d"),
        "epoch": seconds,
        "epoch_ms": seconds * 1000 + time.nanos // 1_000_000,
    }
    return known[form] if form in known else moment.strftime(form)


def _end(settings: IncrementalSettings, watermark: Any, now: datetime) -> Any:
    """Return the run's start in the source's own form as far as it is known, else in ISO."""
    at = parse_cursor(now.astimezone(UTC).isoformat(" ", "microseconds"))
    if settings.format in ("epoch", "epoch_ms"):
        return format_bound(at.raw, settings.format)
    if watermark is not None:
        known = parse_cursor(watermark)
        if known.moment is not None or _is_epoch(known, at):
            return like(at, watermark)
    elif settings.start is not None and _is_epoch(parse_cursor(settings.start), at):
        return like(at, settings.start)
    return like(at, "2000-01-01T00:00:00Z")


def _bound(text: str, watermark: Any, option: str) -> Any:
    try:
        bound = parse_cursor(text)
        if watermark is not None:
            return like(bound, watermark)
    except ApiAnswerError as error:
        raise ConfigurationError(
            f"{option} {text!r} does not fit the cursor: {error.message}",
            advice=f"Write e.g. {option} 2024-05-01 or {option} 2024-05-01T10:00:00Z.",
        ) from error
    return int(text) if text.isdecimal() else text


def _before(start: Any, end: Any) -> bool:
    first, last = parse_cursor(start), parse_cursor(end)
    if (first.moment is None) == (last.moment is None):
        return first < last
    early, late = first.as_time(), last.as_time()
    return early is None or late is None or early < late


def _capped(watermark: Any, cursor: Any, end: Cursor) -> Any:
    found = parse_cursor(cursor)
    if found.moment is None:
        reference = found if watermark is None else parse_cursor(watermark)
        if end.moment is not None and not _is_epoch(reference, end):
            return cursor
    time, limit = found.as_time(), end.as_time()
    if limit is None:  # both count: the bound is an ID
        return like(end, cursor) if end < found else cursor
    return like(limit, cursor) if time is not None and limit < time else cursor


def _is_epoch(number: Cursor, end: Cursor) -> bool:
    """Whether a number lies where epoch times of living data lie."""
    time = number.as_time()
    if number.moment is not None or time is None or time.moment is None or end.moment is None:
        return False
    first, after = _PLAUSIBLE_YEARS
    return first <= time.moment.year and time.moment < end.moment + timedelta(days=365 * after)
