"""Peak memory and CPU of a whole sync without Prefect, at two sizes: neither may grow per record.

    python -m tests.benchmarks.memory [DESTINATION ...] [--records 100000 1000000]

where DESTINATION is a name of `tests.benchmarks.destinations` or the beginning of some ("sqlite",
"file"; all, if left out). A table is loaded, and then the same again, where that changes nothing.
What follows a run (deliveries of webhooks, the other integration of a chain) is a line of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.destinations import DESTINATIONS, Where
from tests.benchmarks.measuring import Cost, Place, measure
from tests.benchmarks.programs import CURSOR, RUN_ENGINE

from astrio.deployments.demo.process import running

FIELDS = ("id", "status", "currency", "created_at", "updated_at", "customer.email")


def document(url: str, push: Any) -> dict[str, Any]:
    """Return an integration of 8 fields with a rule over the benchmark's API."""
    return {
        "name": "bench",
        "source": {
            "api": {"base_url": url},
            "request": {"path": "/orders", "params": {"limit": 1000}},
            "records": "$.orders[*]",
            "paginate": CURSOR,
        },
        "map": {name: name for name in FIELDS}
        | {
            "name": "concat(customer.first_name, ' ', customer.last_name)",
            "mail": "lower(customer.email)",
        },
        "validate": [{"field": "id", "required": True}],
        "push": push,
    }


def programs(where: Where, file: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what is measured, by a name: a run, the same again for a table, and what follows."""
    run = ["-c", RUN_ENGINE, str(file)]
    yield "", run
    if isinstance(where.push, dict) and where.push.get("mode") in ("upsert", "replace"):
        yield " again", run
    if where.after:
        yield " after that", [*where.after]


def costs(name: str, records: int) -> dict[str, Cost]:
    """Return what each program takes, with so many records."""
    server = running("-m", "tests.benchmarks.http_server", "--records", str(records))
    with (
        tempfile.TemporaryDirectory() as folder,
        server as url,
        DESTINATIONS[name](Path(folder)) as where,
    ):
        os.environ |= {"ASTRIO_HOME": f"{folder}/home", **where.environment}
        file = Path(folder) / "bench.json"
        file.write_text(json.dumps(document(url, where.push)))
        return {f"{name}{what}": measure(words, Place("")) for what, words in programs(where, file)}


def main() -> None:
    """Print a line for each program, with the ratio of the last size to the first."""
    parser = argparse.ArgumentParser(prog="memory.py")
    parser.add_argument("destinations", nargs="*", default=[""])
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    options = parser.parse_args()
    for name in DESTINATIONS:
        if not name.startswith(tuple(options.destinations)):
            continue
        found = [costs(name, records) for records in options.records]
        for what, last in found[-1].items():
            peaks = " ".join(f"{each[what].peak:6.0f}" for each in found)
            per_record = 1e6 * last.client / options.records[-1]
            ratio = last.peak / found[0][what].peak
            print(f"{what:28} {peaks} MB: {ratio:.2f}   {per_record:5.1f} us CPU", flush=True)


if __name__ == "__main__":
    main()
