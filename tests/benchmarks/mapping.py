"""How fast mapping and checking are beside a mapping written by hand, on one core.

    python -m tests.benchmarks.mapping

Twelve fields, three nested paths, an array wildcard and two functions, mapped by hand, compiled,
compiled over records of which only these fields were decoded, and by jsonpath-ng field by field;
then the whole stage: mapping, an e-mail rule and a `min` rule, and the account of every record.
All in one run, in turns; the best round counts. Then the decoding of a page, whole and in part.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime
from time import process_time
from typing import Any

from jsonpath_ng.parser import parse

from astrio.tasks.account import Account
from astrio.tasks.batch import Batch, Page
from astrio.tasks.decode.json import decode_json
from astrio.tasks.decode.projection import Projection
from astrio.tasks.destinations.base import Written
from astrio.tasks.mapping.compile import CompiledMapping, MappingContext, compile_mapping
from astrio.tasks.mapping.shape import shape_of
from astrio.tasks.report import RunReport
from astrio.tasks.rules.compile import CompiledRules, compile_rules
from astrio.tasks.rules.settings import RuleSettings
from astrio.tasks.stages import transform_pages, validate_batches

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PROMISED = {"compiled": 0.6, "stage": 80 / 155}
"""Shares of the speed of the mapping by hand."""
TIMES_JSONPATH = 20
MAPPING: dict[str, Any] = {
    "order_id": "id",
    "number": "number",
    "status": "if(cancelled_at, 'cancelled', 'open')",
    "currency": "currency",
    "total": "total",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "note": "note",
    "customer.full_name": "concat(customer.first_name, ' ', customer.last_name)",
    "customer.email": "customer.email",
    "city": "shipping.address.city",
    "skus": "items[*].sku",
}
RULES = [
    RuleSettings.model_validate({"field": "customer.email", "type": "email", "required": True}),
    RuleSettings.model_validate({"field": "total", "validator": "min:0"}),
]
_PATHS = [
    *("id", "number", "cancelled_at", "currency", "total", "created_at", "updated_at", "note"),
    *("customer.first_name", "customer.last_name", "customer.email", "shipping.address.city"),
    "items[*].sku",
]
_PARSED = [parse(path) for path in _PATHS]


def by_hand(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Map the records as a careful programmer would, missing objects included."""
    rows = []
    for record in records:
        customer = record.get("customer") or {}
        address = (record.get("shipping") or {}).get("address") or {}
        first, last = customer.get("first_name"), customer.get("last_name")
        rows.append(
            (
                record.get("id"),
                record.get("number"),
                "cancelled" if record.get("cancelled_at") else "open",
                record.get("currency"),
                record.get("total"),
                record.get("created_at"),
                record.get("updated_at"),
                record.get("note"),
                f"{first or ''} {last or ''}",
                customer.get("email"),
                address.get("city"),
                [item.get("sku") for item in record.get("items") or ()],
            )
        )
    return rows


def by_jsonpath(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Map the records with one jsonpath-ng expression for each field, parsed before."""
    rows = []
    for record in records:
        found = [[match.value for match in path.find(record)] for path in _PARSED]
        one = [values[0] if values else None for values in found]
        status = "cancelled" if one[2] else "open"
        name = f"{one[8] or ''} {one[9] or ''}"
        rows.append((*one[:2], status, *one[3:8], name, one[10], one[11], found[12]))
    return rows


def sample(number: int) -> dict[str, Any]:
    """Return one order."""
    return {
        "id": number,
        "number": f"A-{number}",
        "cancelled_at": None if number % 5 else date(2026, 1, 1).isoformat(),
        "currency": "EUR",
        "total": number / 100,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T12:00:00Z",
        "customer": {
            "first_name": "Ada",
            "last_name": f"L{number}",
            "email": f"buyer.{number}@shop{number % 50}.com",
        },
        "shipping": {"address": {"city": "London", "zip": "N1"}},
        "items": [{"sku": f"S{place}", "quantity": place} for place in range(3)],
    }


def stage(page: Page, mapping: CompiledMapping, rules: CompiledRules) -> Batch:
    """Take a page through both stages as a run does, and account for its records."""
    account = Account(RunReport(integration="orders"), "run", NOW)

    async def pages() -> AsyncIterator[Page]:
        yield page

    done: list[Batch] = []  # a coroutine's result is written out as text when its loop ends

    async def run() -> None:
        async for batch in validate_batches(transform_pages(pages(), mapping), rules):
            account.add([batch], Written(written=len(batch.rows)))
            done.append(batch)
        account.check()

    asyncio.run(run())
    return done[0]


def measure(rounds: int = 15, size: int = 5_000) -> dict[str, float]:
    """Return records a second of each way: the best of several rounds, taken in turns."""
    records = [sample(number) for number in range(size)]
    mapping = compile_mapping(MAPPING, MappingContext(NOW))
    rules = compile_rules(RULES, mapping.columns)
    content, headers = json.dumps(records).encode(), {"content-type": "application/json"}
    projection = Projection(shape_of([], MAPPING.values(), []), [])
    page, part = Page(1, records, size), Page(1, projection.decode(content, headers) or (), size)
    rows = by_hand(records)
    assert mapping.transform(page).rows == by_jsonpath(records) == rows
    assert mapping.transform(part).rows == stage(page, mapping, rules).rows == rows
    ways: dict[str, Callable[[], object]] = {
        "by hand": lambda: by_hand(records),
        "compiled": lambda: mapping.transform(page),
        "compiled, in part": lambda: mapping.transform(part),
        "stage": lambda: stage(page, mapping, rules),
        "stage, in part": lambda: stage(part, mapping, rules),
        "jsonpath-ng": lambda: by_jsonpath(records[: size // 20]),
        "decoded whole": lambda: decode_json(content, headers),
        "decoded in part": lambda: projection.decode(content, headers),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            start = process_time()
            way()
            best[name] = min(best[name], process_time() - start)
    best["jsonpath-ng"] *= size / (size // 20)
    return {name: size / seconds for name, seconds in best.items()}


def kept(figures: Mapping[str, float]) -> bool:
    """Whether what astrio promises is kept."""
    shares = all(figures[name] >= share * figures["by hand"] for name, share in PROMISED.items())
    return shares and figures["compiled"] >= TIMES_JSONPATH * figures["jsonpath-ng"]


if __name__ == "__main__":
    measured = measure()
    for name, speed in measured.items():
        print(f"| {name} | {speed:,.0f} | {speed / measured['by hand']:.2f} |")
    sys.exit(0 if kept(measured) else 1)
