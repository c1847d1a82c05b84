"""`schedule`: what is accepted, what is refused and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from astrio.flows.schedule import Schedule, described


def refusal(value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Schedule.model_validate(value)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("*/15 * * * *", "*/15 * * * *"),
        ("  0  9 * * 1-5 ", "0 9 * * 1-5"),
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("0 0 29 feb *", "0 0 29 feb *"),
        ("0 0 31 1,2 *", "0 0 31 1,2 *"),
        ("5/10 0-23/2 * jan-mar mon,WED", "5/10 0-23/2 * jan-mar mon,WED"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * fri#2", "0 0 * * fri#2"),
        ("0 0 * * L5", "0 0 * * L5"),
        ("0 0 30 2 mon", "0 0 30 2 mon"),  # on Mondays
        ("0 0 * * 7", "0 0 * * 7"),
    ],
)
def test_cron_text_is_accepted(text: str, cron: str) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    assert Schedule.model_validate(text).cron == cron
    CronSchedule(cron=cron)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("* * * *", "5 fields (minute, hour, day, month, weekday), found 4"),
        ("@often", "`@often` is none of @yearly"),
        ("60 * * * *", "`60` is no minute (0 to 59)"),
        ("* 24 * * *", "`24` is no hour (0 to 23)"),
        ("* * 0 * *", "`0` is no day of the month (1 to 31)"),
        ("* * * foo *", "`foo` is no month (1 to 12)"),
        ("* * * * 8", "`8` is no day of the week (0 to 7)"),
        ("5-1 * * * *", "`5-1` runs backwards"),
        ("*-5 * * * *", "`*-5` is no minute: write"),
        ("*/0 * * * *", "steps of 0 do not fit"),
        ("*/99 * * * *", "steps of 99 do not fit"),
        ("0 0 30 2 *", "never comes"),
        ("15m", "write {every: 15m}"),
        ("", "5 fields"),
    ],
)
def test_other_text_is_refused(text: str, told: str) -> None:
    assert told in refusal(text)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9",
        "RRULE:FREQ=DAILY;INTERVAL=2",
        "DTSTART:20260101T090000\nRRULE:FREQ=MONTHLY;COUNT=3",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    ],
)
def test_a_recurrence_rule_is_accepted(rule: str) -> None:
    from prefect.client.schemas.schedules import RRuleSchedule

    assert Schedule.model_validate(rule).rrule == rule
    RRuleSchedule(rrule=rule)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=SECONDLY", "more than once a minute"),
        ("FREQ=DAILY;BYSECOND=1,2", "more than once a minute"),
        ("FREQ=DAILY;COUNT=3", "DTSTART, which is missing"),
        ("FREQ=SOMETIMES", "no recurrence rule of RFC 5545"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"),
    ],
)
def test_another_rule_is_refused(rule: str, told: str) -> None:
    assert told in refusal(rule)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"every": "1s"}, "5s is the least"),
        ({"every": "soon"}, "soon"),
        ({}, "found none"),
        ({"every": "5m", "cron": "* * * * *"}, "found cron and every"),
        ({"cron": "* * * * *", "start": "2026-01-01"}, "`start` goes with `every`"),
        ({"every": "5m", "timezone": "Europe/Berln"}, "did you mean `Europe/Berlin`?"),
        ({"every": "5m", "timezone": "x"}, "no IANA timezone"),
        ({"evry": "5m"}, "Extra inputs"),
        (7, "valid dictionary"),
    ],
)
def test_another_mapping_is_refused(value: Any, told: str) -> None:
    assert told in refusal(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "by hand"),
        ("@hourly", "0 * * * *"),
        ({"cron": "@daily", "timezone": "Europe/Berlin"}, "0 0 * * * (Europe/Berlin)"),
        ({"every": "15m", "timezone": "Europe/Berlin", "active": False}, "every 15m, paused"),
    ],
)
def test_it_is_described_in_a_few_words(value: Any, words: str) -> None:
    assert described(None if value is None else Schedule.model_validate(value)) == words


def test_the_schema_takes_text_and_a_mapping() -> None:
    kinds = [each.get("type") for each in Schedule.model_json_schema()["anyOf"]]
    assert kinds == ["string", "object"]


# Healing.


@pytest.mark.parametrize(
    ("heal", "kind", "value"),
    [
        ("weekly", "cron", "0 0 * * 0"),
        ("@monthly", "cron", "0 0 1 * *"),
        ("7d", "every", "7d"),
        ("0 3 * * sun", "cron", "0 3 * * sun"),
        ("FREQ=MONTHLY;BYDAY=1SU", "rrule", "FREQ=MONTHLY;BYDAY=1SU"),
        ({"every": "30d"}, "every", "30d"),
    ],
)
def test_a_healing_schedule_is_a_word_a_duration_or_a_schedule(
    heal: Any, kind: str, value: str
) -> None:
    found = Schedule.model_validate({"every": "15m", "heal": heal})
    assert found.heal is not None
    assert getattr(found.heal, kind) == value
    assert Schedule.model_validate(found.model_dump()) == found


@pytest.mark.parametrize(
    ("heal", "zone"),
    [("weekly", "Europe/Berlin"), ({"every": "7d", "timezone": "UTC"}, "UTC")],
)
def test_a_healing_schedule_has_the_time_zone_of_the_other_unless_it_names_one(
    heal: Any, zone: str
) -> None:
    given = {"cron": "@hourly", "timezone": "Europe/Berlin", "heal": heal}
    found = Schedule.model_validate(given)
    assert found.healing is not None
    assert found.healing.timezone == zone


@pytest.mark.parametrize(
    ("heal", "told"),
    [
        ("fortnightly", "fields"),
        ({"every": "7d", "heal": "weekly"}, "Extra inputs"),
        ({}, "`heal` needs one of"),
    ],
)
def test_another_healing_schedule_is_refused(heal: Any, told: str) -> None:
    assert told in refusal({"every": "15m", "heal": heal})


def test_a_healing_schedule_is_described() -> None:
    found = Schedule.model_validate({"every": "15m", "heal": "7d"})
    assert described(found) == "every 15m, everything every 7d"
