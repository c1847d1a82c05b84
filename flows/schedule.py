"""`schedule`: when a deployed integration runs by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from astrio.blocks.settings import Settings
from astrio.flows.cron import expand_cron
from astrio.flows.recurrence import check_recurrence, is_recurrence
from astrio.tasks.durations import parse_duration

SHORTEST: Final = timedelta(seconds=5)
_KINDS = ("cron", "every", "rrule")


class Schedule(Settings):
    """`schedule`: cron text, an RRULE, or a mapping that holds one of these or `every`.

    As text: `"*/15 * * * *"`, `"@hourly"`, `"FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"`; as a mapping:
    `{every: 15m}`, `{cron: "0 9 * * 1-5", timezone: Europe/Berlin}`.
    """

    cron: str | None = Field(None, description='Five fields, e.g. "0 9 * * 1-5"; or "@hourly".')
    every: str | None = Field(None, description="Time from one run to the next: 30s, 15m, 2h, 1d.")
    rrule: str | None = Field(None, description='RFC 5545, e.g. "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9".')
    timezone: str = Field("UTC", description="IANA name whose clock counts, e.g. Europe/Berlin.")
    start: datetime | None = Field(
        None, description="With `every`: a moment from which the runs are counted."
    )
    active: bool = Field(True, description="false: deployed, but paused until someone resumes it.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            _refuse_a_duration(value)
            return {"rrule" if is_recurrence(value) else "cron": value}
        return value

    @field_validator("cron")
    @classmethod
    def _cron_comes(cls, text: str | None) -> str | None:
        return None if text is None else expand_cron(text)

    @field_validator("every")
    @classmethod
    def _every_is_long_enough(cls, text: str | None) -> str | None:
        if text is not None and parse_duration(text) < SHORTEST:
            raise ValueError(f"`every: {text}` is too often: 5s is the least")
        return text

    @field_validator("rrule")
    @classmethod
    def _rule_comes(cls, text: str | None) -> str | None:
        if text is not None:
            check_recurrence(text)
        return text

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            meant = get_close_matches(name, available_timezones(), n=1)
            hint = f"; did you mean `{meant[0]}`?" if meant else ": write e.g. Europe/Berlin"
            raise ValueError(f"`{name}` is no IANA timezone{hint}") from None
        return name

    @model_validator(mode="after")
    def _one_kind(self) -> Schedule:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"`schedule` needs one of `cron`, `every` and `rrule`, {found}")
        if self.start is not None and self.every is None:
            raise ValueError("`start` goes with `every`; in an RRULE write DTSTART")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that text may stand in the place of the mapping."""
        mapping = handler(core_schema)
        return {"anyOf": [{"type": "string"}, mapping]}


def _refuse_a_duration(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError:
        return
    raise ValueError(f"`{text}` alone is no schedule: write {{every: {text.strip()}}}")


def described(schedule: Schedule | None) -> str:
    """Return a schedule in a few words, for a table."""
    if schedule is None:
        return "by hand"
    words = schedule.cron or schedule.rrule or f"every {schedule.every}"
    zone = "" if schedule.timezone == "UTC" or schedule.every else f" ({schedule.timezone})"
    return words + zone + ("" if schedule.active else ", paused")
