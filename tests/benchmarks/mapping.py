"""How fast mapping and checking are beside a mapping written by hand, on one core.

    python -m tests.benchmarks.mapping

Twelve fields, three nested paths, an array wildcard and two functions, mapped by hand, compiled,
compiled over records of which only these fields were decoded, and by jsonpath-ng field by field;
then the whole stage: mapping, an e-mail rule and a `min` rule, and the account of every record;
also with the figures of each field, which a run takes while it writes. All in one run of this
program, in turns; the best round counts. Then the decoding of pages, whole and in part.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from time import process_time
from typing import Any

from jsonpath_ng.parser import parse

from astrio.tasks.account import Account
from astrio.tasks.batch import Batch, Page
from astrio.tasks.collecting import rare_collections
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
CHUNK = 5
"""Pages of 1,000 records that a run commits at once."""
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


def stage(
    pages: list[Page], mapping: CompiledMapping, rules: CompiledRules, *, figures: bool = False
) -> list[tuple[Any, ...]]:
    """Take pages through both stages and account for their records, chunk by chunk as a run does.

    With `figures`, what each field holds is counted, too, as `push` does it.
    """
    account = Account(RunReport(integration="orders"), "run", NOW)
    rows: list[tuple[Any, ...]] = []  # no coroutine's result: that is written out as text

    async def given() -> AsyncIterator[Page]:
        for page in pages:
            yield replace(page)  # a page is used up

    def count(chunk: list[Batch]) -> None:
        written = Written(written=sum(len(batch.rows) for batch in chunk))
        if figures:
            account.add(chunk, written)
        else:
            account.report.pages, account.report.records = account.after(chunk, written)

    async def run() -> None:
        chunk: list[Batch] = []
        async for batch in validate_batches(transform_pages(given(), mapping), rules):
            chunk.append(batch)
            if len(chunk) == CHUNK:
                count(chunk)
                rows.extend(chunk[0].rows[:1])
                chunk = []
        count(chunk)
        account.check()

    asyncio.run(run())
    return rows


def measure(rounds: int = 7, pages: int = 50, size: int = 1_000) -> dict[str, float]:
    """Return records a second of each way: the best of several rounds, taken in turns."""
    records = [[sample(page * size + at) for at in range(size)] for page in range(pages)]
    mapping = compile_mapping(MAPPING, MappingContext(NOW))
    rules = compile_rules(RULES, mapping.columns)
    sent, headers = [json.dumps(each).encode() for each in records], {"content-type": ""}
    projection = Projection(shape_of([], MAPPING.values(), []), [])
    whole = [Page(number, each, size) for number, each in enumerate(records, 1)]
    part = [
        Page(number, projection.decode(content, headers) or (), size)
        for number, content in enumerate(sent, 1)
    ]
    for one, other in zip(whole, part, strict=True):
        rows = by_hand(list(one.records))
        assert mapping.transform(one).rows == mapping.transform(other).rows == rows
    assert by_jsonpath(records[0]) == by_hand(records[0])
    assert stage(whole, mapping, rules) == stage(part, mapping, rules, figures=True)
    ways: dict[str, Callable[[], object]] = {
        "by hand": lambda: [by_hand(each) for each in records],
        "compiled": lambda: [mapping.transform(page) for page in whole],
        "compiled, in part": lambda: [mapping.transform(page) for page in part],
        "stage": lambda: stage(whole, mapping, rules),
        "stage, in part": lambda: stage(part, mapping, rules),
        "stage, with figures": lambda: stage(whole, mapping, rules, figures=True),
        "jsonpath-ng": lambda: by_jsonpath(records[0]),
        "decoded whole": lambda: [decode_json(content, headers) for content in sent],
        "decoded in part": lambda: [projection.decode(content, headers) for content in sent],
    }
    best = dict.fromkeys(ways, float("inf"))
    with rare_collections():  # as in a run
        for _ in range(rounds):
            for name, way in ways.items():
                start = process_time()
                way()
                best[name] = min(best[name], process_time() - start)
    best["jsonpath-ng"] *= pages
    return {name: pages * size / seconds for name, seconds in best.items()}


def kept(figures: Mapping[str, float]) -> bool:
    """Whether what astrio promises is kept."""
    shares = all(figures[name] >= share * figures["by hand"] for name, share in PROMISED.items())
    return shares and figures["compiled"] >= TIMES_JSONPATH * figures["jsonpath-ng"]


if __name__ == "__main__":
    measured = measure()
    for name, speed in measured.items():
        print(f"| {name} | {speed:,.0f} | {speed / measured['by hand']:.2f} |")
    sys.exit(0 if kept(measured) else 1)
