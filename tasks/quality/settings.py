"""`quality:`: what the figures of a field may be before a run warns, or fails."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from astrio.blocks.settings import Settings

THRESHOLDS: Final = (
    "max_nulls",
    "max_invalid",
    "min_distinct",
    "max_distinct",
    "min",
    "max",
    "min_length",
    "max_length",
    "max_change",
)


def share_of(limit: int | str, count: int) -> float:
    """Return how many of `count` a limit allows: a count, or a share such as "5%"."""
    return float(limit) if isinstance(limit, int) else count * float(limit.rstrip("%")) / 100


def moment(bound: Any) -> datetime:
    """Return a date, a time, or the text of one as a time in UTC.

    Raises:
        ValueError: the text is neither.
    """
    known = datetime.fromisoformat(bound) if isinstance(bound, str) else bound
    if not isinstance(known, datetime):
        known = datetime(known.year, known.month, known.day, tzinfo=UTC)
    return known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)


def _share(limit: int | str) -> int | str:
    if isinstance(limit, int) and limit >= 0:
        return limit
    number = str(limit).removesuffix("%").strip()
    if str(limit).endswith("%") and number.replace(".", "", 1).isdecimal() and float(number) <= 100:
        return f"{number}%"
    raise ValueError('give a count such as 10 or a share such as "5%"')


def _percent(limit: str) -> str:
    if not limit.endswith("%"):
        raise ValueError('give a share such as "5%"')
    return str(_share(limit))


def _bound(bound: Any) -> Any:
    if isinstance(bound, str):
        try:
            moment(bound)
        except ValueError:
            raise ValueError("give a number, or a date such as 2026-01-31") from None
    return bound


Share = Annotated[int | str, AfterValidator(_share)]
Bound = Annotated[int | float | date | str, AfterValidator(_bound)]


class QualitySettings(Settings):
    """One entry of `quality:`: a field, what its figures may be, and what happens beyond."""

    field: str = Field(description="Target field, as written in `map`.")
    max_nulls: Share | None = Field(None, description='Records without a value: 10 or "5%".')
    max_invalid: Share | None = Field(None, description="Records rejected for its sake.")
    min_distinct: int | None = Field(None, ge=0, description="Different values, at least.")
    max_distinct: int | None = Field(None, ge=0, description="Different values, at most.")
    min: Bound | None = Field(None, description="No number or moment below this one.")
    max: Bound | None = Field(None, description="No number or moment above this one.")
    min_length: int | None = Field(None, ge=0, description="No text shorter than this.")
    max_length: int | None = Field(None, ge=0, description="No text longer than this.")
    max_change: Annotated[str, AfterValidator(_percent)] | None = Field(
        None, description='How far the share of nulls may be from that of earlier runs: "5%".'
    )
    min_records: int = Field(1, ge=1, description="Runs of fewer records are not judged.")
    stable: bool = Field(False, description="It must not vanish, or change its type.")
    severity: Literal["warning", "error"] = Field(
        "error", description="error: the run fails; warning: its report says so."
    )

    @property
    def counts_distinct(self) -> bool:
        """Whether it is about the number of different values."""
        return self.min_distinct is not None or self.max_distinct is not None

    @model_validator(mode="after")
    def _says_something(self) -> QualitySettings:
        if not self.stable and all(getattr(self, name) is None for name in THRESHOLDS):
            raise ValueError(f"give at least one of {', '.join(THRESHOLDS)} and stable")
        return self
