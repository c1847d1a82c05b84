"""`schedule`: when a deployed integration runs by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, ClassVar, Final, Self
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
_WORDS = frozenset({"hourly", "daily", "weekly", "monthly", "yearly"})


class Times(Settings):
    """When something happens again and again: cron text, an RRULE, or a time between."""

    named: ClassVar[str] = "schedule"

    cron: str | None = Field(None, description='Five fields, e.g. "0 9 * * 1-5"; or "@hourly".')
    every: str | None = Field(None, description="Time from one run to the next: 30s, 15m, 2h, 1d.")
    rrule: str | None = Field(None, description='RFC 5545, e.g. "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9".')
    timezone: str = Field("UTC", description="IANA name whose clock counts, e.g. Europe/Berlin.")
    start: datetime | None = Field(
        None, description="With `every`: a moment from which the runs are counted."
    )

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
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"`{self.named}` needs one of `cron`, `every` and `rrule`, {found}")
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


def _cron_or_rule(text: str) -> dict[str, str]:
    return {"rrule" if is_recurrence(text) else "cron": text}


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def _refuse_a_duration(text: str) -> None:
    if not _is_duration(text):
        return
    raise ValueError(f"`{text}` alone is no schedule: write {{every: {text.strip()}}}")


class Healing(Times):
    """`schedule.heal`: when a run reads everything again; `weekly`, `7d`, or as `schedule`."""

    named: ClassVar[str] = "heal"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if _is_duration(value):
            return {"every": value}
        word = value.strip().lower()
        return _cron_or_rule(f"@{word}" if word in _WORDS else value)


class Schedule(Times):
    """`schedule`: cron text, an RRULE, or a mapping that holds one of these or `every`.

    As text: `"*/15 * * * *"`, `"@hourly"`, `"FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"`; as a mapping:
    `{every: 15m}`, `{cron: "0 9 * * 1-5", timezone: Europe/Berlin}`.
    """

    active: bool = Field(True, description="false: deployed, but paused until someone resumes it.")
    heal: Healing | None = Field(
        None,
        description="When a run reads everything again, which mends what incremental runs have "
        "missed: weekly, 7d, cron text, an RRULE, or a mapping of these.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            _refuse_a_duration(value)
            return _cron_or_rule(value)
        return value

    @property
    def healing(self) -> Healing | None:
        """`heal`, in the time zone of the schedule unless it names one."""
        if self.heal is None or "timezone" in self.heal.model_fields_set:
            return self.heal
        return self.heal.model_copy(update={"timezone": self.timezone})


def described(schedule: Times | None) -> str:
    """Return a schedule in a few words, for a table."""
    if schedule is None:
        return "by hand"
    words = schedule.cron or schedule.rrule or f"every {schedule.every}"
    zone = "" if schedule.timezone == "UTC" or schedule.every else f" ({schedule.timezone})"
    if not isinstance(schedule, Schedule):
        return words + zone
    heal = f", everything {described(schedule.heal)}" if schedule.heal else ""
    return words + zone + heal + ("" if schedule.active else ", paused")
