"""`type:`, what each kind of value is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from tests.tasks.rules.judging import accepts, compiled, judged

from astrio.tasks.rules.base import type_names
from astrio.tasks.rules.types.country import COUNTRIES
from astrio.tasks.rules.types.currency import CURRENCIES, WITHDRAWN

NAN, INFINITE = float("nan"), float("inf")
DAY, MOMENT = date(2024, 2, 29), datetime(2024, 2, 29, 12, tzinfo=UTC)
UUID = "c56a4180-65aa-42ec-a945-5fd21dec0538"

GOOD: dict[str, list[Any]] = {
    "string": ["", "a", "\ud800", "é" * 1000],
    "integer": [0, -1, 10**30],
    "number": [0, 1.5, -1e300, Decimal("1.50")],
    "boolean": [True, False],
    "date": [DAY, "2024-02-29", "0001-01-01", "9999-12-31"],
    "datetime": [
        *(MOMENT, "2024-02-29T12:30:00Z", "2024-02-29 12:30", "2024-02-29T12:30:00.123456+05:30"),
        "2024-02-29T23:59:59.123456789-23:59",
    ],
    "email": ["ada@example.com"],
    "phone": ["+49 30 123456"],
    "url": [
        *("https://example.com", "http://localhost:8080/a?b=c#d", "HTTPS://bücher.example/ü"),
        *("https://user:pass@example.com/", "http://[::1]/", "http://127.0.0.1"),
    ],
    "uuid": [UUID, UUID.upper()],
    "ip": ["127.0.0.1", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.1"],
    "country": ["DE", "US", "AQ"],
    "currency": ["EUR", "USD", "XCG", "HRK", "BGN"],
    "json": ["{}", "[1, null]", '"a"', "12", {"a": 1}, []],
}
BAD: dict[str, list[Any]] = {
    "string": [1, True, [], {}, DAY],
    "integer": [1.0, "1", True, Decimal(1), []],
    "number": ["1", True, NAN, INFINITE, Decimal("NaN"), Decimal("Infinity"), {}],
    "boolean": [0, 1, "true", ""],
    "date": [
        *("2024-02-30", "20240229", "2024-W09-4", "2024-02-29T00:00", "29.02.2024", ""),
        *(MOMENT, 20240229, "\uff12024-02-29", "2024-02-29\n"),
    ],
    "datetime": [
        *("2024-02-29", "2024-02-30T12:00", "2024-02-29T24:00:00Z", "2024-02-29T12:30:60Z"),
        *("2024-02-29t12:30", "2024-02-29T12:30:00+25:00", DAY, 0, ""),
    ],
    "email": ["ada", 1],
    "phone": ["12", 4930123456],
    "url": [
        *("", "example.com", "ftp://example.com", "http://", "http:example.com", "javascript:x"),
        *("https://exa mple.com", "https://example.com/a b", "https:\\\\example.com", "http:///a"),
        *(" https://example.com", "https://example.com\n", "https://[::1", "http://a:99999", 1),
        "https://example.com/" + "a" * 8_192,
        "https://\ud800.com",
    ],
    "uuid": ["", UUID[:-1], UUID.replace("-", ""), f"{{{UUID}}}", f"{UUID}\n", 1],
    "ip": [
        "",
        "127.0.0",
        "127.0.0.1:80",
        "10.0.0.0/8",
        "fe80::1%eth0",
        "::" + "1" * 99,
        2130706433,
    ],
    "country": ["de", "DEU", "XX", "UK", "", 49],
    "currency": ["eur", "€", "EURO", "XYZ", "", 978],
    "json": ["", "{", "{'a': 1}", "NaN", "[" * 100_000, "\ud800", 1, None.__class__],
}


def test_every_type_has_its_cases_here() -> None:
    assert list(GOOD) == list(BAD)
    assert sorted(GOOD) == type_names()


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, some in GOOD.items() for v in some])
def test_a_value_of_the_type_passes(name: str, value: Any) -> None:
    assert judged({"type": name}, value) == []


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, some in BAD.items() for v in some])
def test_another_value_is_refused(name: str, value: Any) -> None:
    [reason] = judged({"type": name}, value)
    assert reason.startswith("is ")


@pytest.mark.parametrize("name", sorted({*GOOD} - {"string"}))
def test_a_refused_value_is_not_shown(name: str) -> None:
    [problem] = compiled({"field": "x", "type": name}).explain(("x",), ("Zanzibar-canary",))
    assert "canary" not in repr(problem)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_null_passes_every_type(name: str) -> None:
    assert accepts({"type": name}, None)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_the_short_form_is_the_same_rule(name: str) -> None:
    rule = {"validator": name}
    assert all(accepts(rule, value) for value in GOOD[name])
    assert not any(accepts(rule, value) for value in BAD[name])


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"type": "date", "format": "%d.%m.%Y"}, "29.02.2024", "2024-02-29"),
        ({"type": "date", "format": "%d.%m.%Y"}, DAY, "30.02.2024"),
        ({"validator": "datetime", "format": "%d.%m.%Y %H:%M"}, "29.02.2024 12:30", "29.02.2024"),
        ({"type": "datetime", "format": "%Y"}, MOMENT, "2" * 101),
    ],
)
def test_dates_may_be_written_in_a_format_of_their_own(
    rule: dict[str, Any], good: Any, bad: Any
) -> None:
    assert accepts(rule, good)
    [reason] = judged(rule, bad)
    assert reason.endswith("of that format")


def test_the_countries_are_those_of_the_time_zone_database() -> None:
    table = files("pytz").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    listed = {line[:2] for line in table.splitlines() if line and not line.startswith("#")}
    assert listed == COUNTRIES


def test_a_withdrawn_currency_is_not_in_force() -> None:
    assert not CURRENCIES & WITHDRAWN
    assert {len(code) for code in CURRENCIES | WITHDRAWN} == {3}
