"""The demo shop's orders: made up from a seed, the same for the same seed and day."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Order = dict[str, Any]

COUNT = 5_000
FIRST_ID = 5_200_000_000_000
PACE = timedelta(minutes=26)
"""From one order to the next; 5,000 of them fill three months."""
SETTLED = timedelta(days=3)
"""An order changes for the last time within three days."""

_FIRST_NAMES = (
    "Ada", "Anaïs", "Ben", "Chloé", "Dmitri", "Emma", "Farid", "Grace", "Hugo", "Ines", "José",
    "Jürgen", "Kofi", "Lena", "Mei", "Noah", "Olga", "Priya", "Rosa", "Samir", "Tove", "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Almeida", "Brandt", "Costa", "D'Angelo", "Dubois", "Eriksen", "Fischer", "García", "Haddad",
    "Ivanova", "Jansen", "Kowalska", "López", "Meyer-Lund", "Nakamura", "O'Brien", "Özdemir",
    "Patel", "Rossi", "Smith", "Tanaka", "van der Berg", "Weber", "Zhang",
)  # fmt: skip
_PLACES = (
    ("Berlin", "de", "EUR"), ("Lyon", "fr", "EUR"), ("Porto", "pt", "EUR"), ("Leeds", "gb", "GBP"),
    ("Malmö", "se", "SEK"), ("Boston", "us", "USD"), ("Osaka", "jp", "JPY"),
)  # fmt: skip
_GOODS = (
    ("MUG-01", "Mug, blue", "12.50"), ("TEA-05", "Tea, 500 g", "18.90"),
    ("KET-11", "Kettle", "64.00"), ("CUP-07", "Cup, set of 4", "29.95"),
    ("SPN-02", "Spoon", "3.20"), ("JAR-33", "Jar, 1 l", "8.75"),
    ("POT-40", "Teapot", "48.60"), ("TIN-09", "Tin", "6.10"),
)  # fmt: skip
_BAD_EMAILS = (
    "anna.brandt(at)example.com", "ben@", "@example.com", "c osta@example.com", "dubois@example",
    "emma@@example.com", "farid@exa mple.com", "grace", "hugo@example,com",
)  # fmt: skip
_NO_EMAILS = 5
_MINORS = (9, 11, 13, 15, 16, 17)
_BAD_BIRTH_DATES = ("1985-13-45", "1990-02-30", "0000-00-00", "unknown")


def make_orders(seed: int, today: date) -> list[Order]:
    """Return the shop's orders in the order of their ids; 25 of them break the demo's rules.

    All were changed for the last time at least two hours before `today` begins (UTC).
    """
    dice = dice_of(seed)
    end = start_of(today) - timedelta(hours=2)
    orders = [
        _order(dice, place, end - (COUNT - place) * PACE, end, today) for place in range(COUNT)
    ]
    _spoil(dice, orders, today)
    return orders


def dice_of(seed: int | str) -> Random:
    """Return the source of chance for a seed."""
    return Random(seed)  # noqa: S311 (made-up goods, no secrets)


def start_of(day: date) -> datetime:
    """Return the day's first moment in UTC."""
    return datetime.combine(day, time(), UTC)


def iso(moment: datetime) -> str:
    """Write a UTC time as the shop does: `2026-01-31T12:00:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def change(orders: Sequence[Order], start: datetime) -> None:
    """Ship, cancel or discount each order in turn, one a second from `start` on."""
    for place, order in enumerate(orders):
        order["updated_at"] = moment = iso(start + timedelta(seconds=place))
        if place % 3 == 0:
            order["fulfillment_status"] = "returned" if order["fulfillment_status"] else "shipped"
        elif place % 3 == 1:
            order["cancelled_at"] = order["cancelled_at"] or moment
        else:
            order["total_price"] = str(
                (Decimal(order["total_price"]) / 2).quantize(Decimal("0.01"))
            )
            order["note"] = "Half price, with our apologies"


def _order(dice: Random, place: int, created: datetime, end: datetime, today: date) -> Order:
    city, country, currency = dice.choice(_PLACES)
    goods = [(*each, dice.randint(1, 4)) for each in dice.sample(_GOODS, dice.randint(1, 4))]
    updated = created + dice.random() * min(SETTLED, end - created)
    return {
        "id": FIRST_ID + 17 * place,
        "number": f"S-{100_001 + place}",
        "created_at": iso(created),
        "updated_at": iso(updated),
        "cancelled_at": iso(updated) if dice.random() < 0.06 else None,
        "fulfillment_status": dice.choice((None, "shipped", "shipped", "returned")),
        "currency": currency,
        "total_price": str(sum(Decimal(price) * quantity for _, _, price, quantity in goods)),
        "customer": _customer(dice, place, today),
        "shipping_address": {"city": city, "country_code": country},
        "line_items": [
            {"sku": sku, "title": title, "quantity": quantity, "price": price}
            for sku, title, price, quantity in goods
        ],
        "note": dice.choice((None, None, None, "Leave it at the door", "Ring twice — dog!")),
    }


def _customer(dice: Random, place: int, today: date) -> dict[str, Any]:
    first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
    email = f"{_plain(first)}.{_plain(last)}{place}@example.{dice.choice(('com', 'org', 'net'))}"
    phone = f"+49 30 {dice.randint(1_000_000, 9_999_999)}"
    return {
        "first_name": first,
        "last_name": last,
        "email": email if dice.random() < 0.3 else email.lower(),
        "birth_date": _birth_date(dice, today, dice.randint(18, 80)),
        "phone": phone if dice.random() < 0.7 else None,
    }


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in folded if letter.isascii() and letter.isalpha())


def _birth_date(dice: Random, today: date, age: int) -> str:
    # Nobody has a birthday near today, so that no age hangs on the time zone or on midnight.
    birthday = today - timedelta(days=dice.randint(5, 355))
    return birthday.replace(year=birthday.year - age, day=min(birthday.day, 28)).isoformat()


def _spoil(dice: Random, orders: Sequence[Order], today: date) -> None:
    faults: list[dict[str, Any]] = [
        *({"email": email} for email in _BAD_EMAILS),
        *[{"email": None}] * _NO_EMAILS,
        *({"birth_date": _birth_date(dice, today, age)} for age in _MINORS),
        *({"birth_date": text} for text in _BAD_BIRTH_DATES),
        {"birth_date": (today + timedelta(days=400)).isoformat()},
    ]
    # The latest tenth stays sound: what an incremental run reads again holds no faults.
    spoilt = dice.sample(orders[: len(orders) * 9 // 10], len(faults))
    for order, fault in zip(spoilt, faults, strict=True):
        order["customer"].update(fault)
    without = [order["customer"] for order in spoilt if order["customer"]["email"] is None]
    for customer in without[::2]:
        del customer["email"]
