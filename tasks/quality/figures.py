"""What a run report tells of fields: figures, drift, and the thresholds that were crossed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FieldFigures(_Model):
    """Figures of one field in one run; of texts only the lengths, never a value.

    Attributes:
        filled: records in which it has a value.
        nulls: records in which it is null or missing.
        invalid: records that the mapping, a rule or the destination rejected for its sake.
        kinds: what its values are: bool, number, text, date, datetime, object, list.
        distinct: how many different values, exact up to 2,048, about 3 % off beyond; None for
            objects and lists.
        distinct_of: of how many values that is: all of those that `quality:` asks to count, the
            first ones (20,000 or a chunk more) of other fields, since counting costs time.
        min: the least number or moment.
        max: the greatest.
        shortest: the least length of a text, in characters.
        longest: the greatest.
    """

    filled: int = 0
    nulls: int = 0
    invalid: int = 0
    kinds: list[str] = Field(default_factory=list)
    distinct: int | None = None
    distinct_of: int = 0
    min: int | float | str | None = None
    max: int | float | str | None = None
    shortest: int | None = None
    longest: int | None = None


class Changes(_Model):
    """How fields differ from those of the earlier runs."""

    appeared: list[str] = Field(default_factory=list)
    vanished: list[str] = Field(default_factory=list)
    changed: dict[str, str] = Field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.appeared or self.vanished or self.changed)


class Drift(_Model):
    """Drift of the mapped fields, and of the source's own records before they are mapped."""

    fields: Changes = Field(default_factory=Changes)
    source: Changes = Field(default_factory=Changes)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.fields) or bool(self.source)


class Breach(_Model):
    """A threshold of `quality:` that was crossed."""

    field: str
    check: str
    message: str
    severity: Literal["warning", "error"]


class Profiled(_Model):
    """What the figures are of.

    Attributes:
        records: how many mapped records were looked at.
        whole: whether these are all of the run; a resumed run counts anew from where it went on.
        untracked: fields beyond the first 500, of which there are no figures.
    """

    records: int = 0
    whole: bool = True
    untracked: int = 0
