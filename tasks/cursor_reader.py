"""The incremental cursor of a page's records: read, compared, and held against the lower bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.cursors import Cursor, highest, parse_cursor
from astrio.tasks.incremental import Window
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.paths import compile_path
from astrio.tasks.projected import Projected
from astrio.tasks.shapes import describe


@dataclass(frozen=True, slots=True)
class CursorsSeen:
    """What the cursors of a page say.

    Attributes:
        highest: the highest, in the form that the watermark keeps; None: there is none.
        wanted: for each record whether it belongs to this run; None: all do.
        past: every record of the page lies before the lower bound.
        values: the cursors, in the form that the watermark keeps.
    """

    highest: Any
    wanted: list[bool] | None = None
    past: bool = False
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CursorReader:
    """Reads the cursors of one source.

    Attributes:
        path: leads to a record's cursor.
        form: strftime text of the cursor; None: ISO 8601 or a number.
        zone: of times without an offset.
        missing: what becomes of records without a cursor.
        start: records below it are left out here; None: the API does that.
        end: records at it, or above it, are left out; None: they belong to the run.
        newest_first: a page that lies before `start` ends the source.
    """

    path: str
    form: str | None = None
    zone: str | None = None
    missing: Literal["include", "exclude", "error"] = "include"
    start: Any = None
    end: Any = None
    newest_first: bool = False

    @classmethod
    def of(cls, settings: IncrementalSettings, window: Window) -> CursorReader | None:
        """Return the reader for a run's window; None: the source has a token instead."""
        if settings.cursor is None:
            return None
        here = settings.param is None or settings.newest_first or window.strict
        return cls(
            settings.cursor,
            settings.cursor_format,
            settings.timezone,
            settings.missing_cursor,
            window.start if here else None,
            window.end if window.strict else None,
            settings.newest_first,
        )

    @property
    def ends_early(self) -> bool:
        """Whether the source may be left before its end."""
        return self.newest_first and self.start is not None

    def read(self, records: list[Any]) -> CursorsSeen:
        """Look at the cursors of a page.

        Raises:
            ApiAnswerError: a cursor cannot be read, or there is none where there must be one.
        """
        path = compile_path(self.path)
        if isinstance(records, Projected) and records.shape is not None:
            values = list(map(records.shape.getter(path), records.structs()))
        else:
            values = path.column(records)
        if self.form is not None or self.zone is not None:
            values = [self._canonical(value) for value in values]
        if self.start is None and self.end is None and self.missing == "include":
            return CursorsSeen(highest(values), values=values)
        return self._judged(values)

    def _judged(self, values: list[Any]) -> CursorsSeen:
        bound = None if self.start is None else parse_cursor(self.start)
        wanted = [self._wanted(value, bound) for value in values]
        known = [yes for yes, value in zip(wanted, values, strict=True) if not _is_none(value)]
        past = self.ends_early and bool(known) and not any(known)
        if self.end is not None:
            limit = parse_cursor(self.end)
            pairs = zip(wanted, values, strict=True)
            wanted = [yes and (_is_none(value) or _before(value, limit)) for yes, value in pairs]
        chosen = [value for yes, value in zip(wanted, values, strict=True) if yes]
        return CursorsSeen(highest(chosen), wanted, past, values)

    def _wanted(self, value: Any, bound: Cursor | None) -> bool:
        if _is_none(value):
            if self.missing == "error":
                raise ApiAnswerError(
                    f"A record has no cursor at {self.path}.",
                    advice="Correct incremental.cursor, or choose missing_cursor: include or "
                    "exclude.",
                )
            return self.missing == "include"
        return bound is None or not _before(value, bound)

    def _canonical(self, value: Any) -> Any:
        """Return a time with its offset, in ISO 8601; what is none stays as it is."""
        if _is_none(value):
            return None
        zone = ZoneInfo(self.zone or "UTC")
        if self.form is None:
            known = parse_cursor(value)
            if known.moment is None or _has_offset(value):
                return value
            local = datetime.fromisoformat(str(value).strip().replace(",", "."))
            return local.replace(tzinfo=zone).isoformat()
        try:
            found = datetime.strptime(str(value), self.form)  # noqa: DTZ007 (a form may name its offset)
        except ValueError:
            shown = repr(value[:40]) if isinstance(value, str) else describe(value)
            raise ApiAnswerError(
                f"The cursor value {shown} is not written as {self.form}.",
                advice="Correct incremental.cursor_format.",
            ) from None
        return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()


def _before(value: Any, bound: Cursor) -> bool:
    """Whether a cursor lies before a bound; a number is compared with a time as epoch time.

    Raises:
        ApiAnswerError: they are of different kinds.
    """
    cursor = parse_cursor(value)
    if (cursor.moment is None) != (bound.moment is None):
        early, late = cursor.as_time(), bound.as_time()
        if early is not None and late is not None:
            return early < late
    return cursor < bound


def _is_none(value: Any) -> bool:
    return value is None or value == "" or str(value).startswith("0000-00-00")


def _has_offset(text: str) -> bool:
    time = str(text).strip()[10:]
    return time.endswith(("Z", "z")) or "+" in time or "-" in time
