"""Settings of `source.incremental`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from astrio.blocks.settings import Settings
from astrio.tasks.durations import parse_lookback
from astrio.tasks.settings import Where

BOUND_FORMATS: Final = ("iso", "date", "epoch", "epoch_ms")
_WITH_A_TOKEN = frozenset({"token", "param", "in_", "expired_status"})


class IncrementalSettings(Settings):
    """`source.incremental`: fetch only what changed since the last run (contract.md)."""

    cursor: str | None = Field(
        default=None, description="Path to the record's cursor value, e.g. updated_at."
    )
    token: str | None = Field(
        default=None,
        description="Instead: path to the token that the last page gives for the next run.",
    )
    param: str | None = Field(
        default=None,
        description="Parameter that carries the lower bound, or the token; without it, records "
        "below the bound are left out after they came, or the token is the next run's URL.",
    )
    start: str | int | float | None = Field(
        default=None, description="Lower bound of the very first run."
    )
    lookback: str | int | None = Field(
        default=None,
        description="Re-read this much before the mark: 5m, 1d; a number for counting IDs.",
    )
    format: str | None = Field(
        default=None,
        description="How the API wants the bound: iso, date, epoch, epoch_ms or a strftime text.",
    )
    end_param: str | None = Field(default=None, description="Parameter for the upper bound.")
    sorted: bool = Field(default=False, description="Records come in cursor order, oldest first.")
    newest_first: bool = Field(
        default=False,
        description="Records come newest first: the reading ends at the first page that is older.",
    )
    in_: Where = Field(default="query", alias="in", description="Where the parameters go.")
    cursor_format: str | None = Field(
        default=None, description="strftime text of the record's cursor, e.g. %d/%m/%Y %H:%M."
    )
    timezone: str | None = Field(
        default=None, description="Zone of times without an offset, e.g. Europe/Berlin; else UTC."
    )
    range_start: Literal["closed", "open"] = Field(
        default="closed", description="open: the API leaves out records at the lower bound itself."
    )
    range_end: Literal["open", "closed"] = Field(
        default="open", description="closed: the API gives records at the upper bound, too."
    )
    granularity: str | int | None = Field(
        default=None, description="Smallest step of the cursor: 1s, 1d; 1 for counting IDs."
    )
    step: str | int | None = Field(
        default=None, description="Read window by window, each so wide: 1d, 30d, or a number."
    )
    missing_cursor: Literal["include", "exclude", "error"] = Field(
        default="include", description="What becomes of records without a cursor."
    )
    expired_status: tuple[int, ...] = Field(
        default=(410,), description="Statuses that say that the token is no longer known."
    )

    @property
    def bound_format(self) -> str | None:
        """How bounds are written in requests; None: as the source writes its cursor."""
        return self.format or self.cursor_format

    @field_validator("lookback", "granularity", "step")
    @classmethod
    def _readable(cls, value: str | int | None) -> str | int | None:
        if value is not None:
            parse_lookback(value)
        return value

    @field_validator("step", "granularity")
    @classmethod
    def _not_nothing(cls, value: str | int | None) -> str | int | None:
        if value is not None and parse_lookback(value) in (0, timedelta(0)):
            raise ValueError("give more than 0")
        return value

    @field_validator("format")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and "%" not in value and value not in BOUND_FORMATS:
            raise ValueError(f"give one of {', '.join(BOUND_FORMATS)}, or a strftime text with %")
        return value

    @field_validator("cursor_format")
    @classmethod
    def _strftime(cls, value: str | None) -> str | None:
        if value is not None and "%" not in value:
            raise ValueError("give a strftime text with %, e.g. %d/%m/%Y; ISO is known without it")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"{value!r} is no time zone such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if (self.cursor is None) == (self.token is None):
            raise ValueError("give `cursor` (a field of the records) or `token`, and not both")
        others = sorted(self.model_fields_set - _WITH_A_TOKEN)
        if self.token is not None and others:
            raise ValueError(f"`{others[0]}` does not go with `token`")
        if self.step is not None and None in (self.start, self.param, self.end_param):
            raise ValueError("`step` needs `start`, `param` and `end_param`")
        if self.newest_first and (self.sorted or self.step is not None):
            raise ValueError("`newest_first` goes neither with `sorted` nor with `step`")
        return self
