"""The programs that are compared: astrio, pipelines written by hand, and dlt.

Each is a process of its own and loads the same records from a fast local API into a table of its
own: 12 mapped fields, upserted by their key. astrio holds two rules against each record, and
accounts for it.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BY_HAND = "by hand"
"""The best: aiohttp, msgspec Structs, the driver."""
BY_HTTPX = "by hand, httpx"
"""The same with httpx on aiohttp's transport, as astrio uses it."""
ENGINE = "engine"
"""The five stages without Prefect."""
RUN = "astrio run"
"""The command, with a Prefect server that is up."""
ARROW = "dlt, Arrow pages"
REST_API = "dlt, rest_api"
PROGRAMS = (BY_HAND, BY_HTTPX, ENGINE, RUN, ARROW, REST_API)

MAP = {
    "order_id": "id",
    "number": "number",
    "status": "if(cancelled_at, 'cancelled', 'open')",
    "full_name": "concat(customer.first_name, ' ', customer.last_name)",
    "email": "lower(customer.email)",
    "birth_date": "customer.birth_date",
    "city": "shipping_address.city",
    "country": "upper(shipping_address.country_code)",
    "currency": "currency",
    "total": "float(total_price)",
    "items": "length(line_items)",
    "updated_at": "updated_at",
}
RULES = [{"field": "email", "required": True}, {"field": "total", "validator": "min:0"}]
CURSOR = {"type": "cursor", "param": "cursor", "next": "$.next_cursor"}
RUN_ENGINE = """
import asyncio, json, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
report = asyncio.run(run_without_prefect(Integration.model_validate(json.load(open(sys.argv[1])))))
print(report.records.written)
"""
COMMAND = "from astrio.deployments.cli import main; main()"


def integration(
    api: str, url: str, table: str, paginate: dict[str, Any] | None = None, **push: Any
) -> dict[str, Any]:
    """Return the integration that does what the hand-written pipeline does."""
    to = {"to": {"url": url}, "table": table, "mode": "upsert", "key": ["order_id"]}
    return {
        "name": table.replace("_", "-"),
        "source": {
            "api": {"base_url": api},
            "request": {"path": "/orders", "params": {"limit": 1000}},
            "records": "$.orders[*]",
            "paginate": paginate or CURSOR,
        },
        "map": MAP,
        "validate": RULES,
        "push": {**to, **push},
    }


def words(
    program: str,
    api: str,
    url: str,
    folder: Path,
    paginate: dict[str, Any] | None = None,
    **push: Any,
) -> list[str]:
    """Return what Python is started with to run a program once."""
    table = table_of(program)
    file = folder / f"{table}.json"
    file.write_text(json.dumps(integration(api, url, table, paginate, **push)))
    return {
        BY_HAND: ["-m", "tests.benchmarks.by_hand", "aiohttp", api, url, table],
        BY_HTTPX: ["-m", "tests.benchmarks.by_hand", "httpx", api, url, table],
        ENGINE: ["-c", RUN_ENGINE, str(file)],
        RUN: ["-c", COMMAND, "run", str(file), "--json"],
        ARROW: ["-m", "tests.benchmarks.by_dlt", "arrow", api, url, table],
        REST_API: ["-m", "tests.benchmarks.by_dlt", "rest_api", api, url, table],
    }[program]


def table_of(program: str) -> str:
    """Return the table that a program writes."""
    return f"bench_{program.replace(',', '').replace(' ', '_').lower()}"


def missing(program: str) -> str | None:
    """Return what has to be done before a program can be run, None if it can."""
    if program in (ARROW, REST_API) and not (find_spec("dlt") and find_spec("pyarrow")):
        return f"{program} is left out, as dlt is not installed: pip install -e '.[bench]'"
    return None
