"""`partitions`: one integration for several accounts, stores or months, each read by itself."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product
from math import prod
from typing import Any, Final

from pydantic import Field, field_validator

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import Settings

MOST: Final = 10_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = frozenset({"timestamp", "parent", "event"})
_MONTHS: Final = 12


class Months(Settings):
    """The months from the first to the last, as `2026-01`."""

    first: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="The first month: 2026-01.")
    last: str | None = Field(
        None,
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        description="The last month; left out: the one in which the run takes place.",
    )

    def values(self, now: datetime) -> list[str]:
        """Return the months, oldest first."""
        first, last = _number(self.first), _number(self.last or f"{now:%Y-%m}")
        return [f"{at // _MONTHS:04d}-{at % _MONTHS + 1:02d}" for at in range(first, last + 1)]


class PartitionSettings(Settings):
    """`partitions`: what `{{name}}` in `source` stands for, one run for each value."""

    over: dict[str, tuple[str | int, ...] | Months] = Field(
        min_length=1,
        description="Values by name: {store: [a, b]}, {month: {first: 2026-01}}; several names: "
        "every combination.",
    )
    parallel: int = Field(4, ge=1, le=64, description="Partitions that are read at once.")
    as_: str = Field(
        "partition", alias="as", description="Field of each record that holds the values."
    )

    @field_validator("over")
    @classmethod
    def _readable(cls, over: dict[str, Any]) -> dict[str, Any]:
        for name, values in over.items():
            if not _NAME.fullmatch(name) or name in _TAKEN:
                raise ValueError(f"`{name}` cannot be the name of a partition's value")
            if isinstance(values, Months):
                continue
            if not values or "" in values:
                raise ValueError(f"`{name}` needs values, none of them empty")
            if len({str(each) for each in values}) < len(values):
                raise ValueError(f"`{name}` names a value twice")
        return over


def partitions_of(settings: PartitionSettings, now: datetime) -> dict[str, dict[str, Any]]:
    """Return all partitions in order: the values of each by its name, such as `store=a`.

    Raises:
        ConfigurationError: they are too many, or there is none.
    """
    values = [list(_values(each, now)) for each in settings.over.values()]
    count = prod(map(len, values))
    if not 1 <= count <= MOST:
        raise ConfigurationError(
            f"`partitions` makes {count:,} partitions: from 1 to {MOST:,} can be read.",
            advice="Correct partitions.over.",
        )
    names = list(settings.over)
    found = (dict(zip(names, each, strict=True)) for each in product(*values))
    return {", ".join(f"{name}={value}" for name, value in each.items()): each for each in found}


def _values(values: tuple[str | int, ...] | Months, now: datetime) -> list[Any]:
    return values.values(now) if isinstance(values, Months) else list(values)


def _number(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * _MONTHS + int(number) - 1
