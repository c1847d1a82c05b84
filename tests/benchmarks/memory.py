"""Peak memory and CPU of a whole sync without Prefect, at two sizes: neither may grow per record.

Run: python -m tests.benchmarks.memory [DESTINATION] [RECORDS ...]
where DESTINATION is sqlite (if left out), or the ending of a file: jsonl, csv, parquet, csv.gz
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from astrio.deployments.demo.process import running

PROGRAM = """
import asyncio, json, resource, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
report = asyncio.run(run_without_prefect(Integration.model_validate(json.loads(sys.argv[1]))))
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([report.records.written, usage.ru_maxrss / 1024, cpu]))
"""


def push(destination: str, folder: Path) -> dict[str, object]:
    """Return where the records go."""
    if destination != "sqlite":
        return {"to": {"file": f"{folder}/bench.{destination}"}}
    url = f"sqlite:///{folder}/bench.db"
    return {"to": {"url": url}, "table": "bench", "mode": "upsert", "key": ["id"]}


def document(url: str, to: dict[str, object]) -> dict[str, object]:
    """Return an integration of 8 fields with a rule over the benchmark's API."""
    fields = ["id", "status", "currency", "created_at", "updated_at", "customer.email"]
    return {
        "name": "bench",
        "source": {
            "api": {"base_url": url},
            "request": {"path": "/orders"},
            "records": "$.orders[*]",
            "paginate": {"type": "cursor", "param": "cursor", "next": "$.next_cursor"},
        },
        "map": {name: name for name in fields}
        | {
            "name": "concat(customer.first_name, ' ', customer.last_name)",
            "mail": "lower(customer.email)",
        },
        "validate": [{"field": "id", "required": True}],
        "push": to,
    }


def measure(destination: str, records: int) -> tuple[int, float, float]:
    """Return records written, peak memory in MB, and CPU seconds of the client's process."""
    server = running("-m", "tests.benchmarks.http_server", "--records", str(records))
    with tempfile.TemporaryDirectory() as folder, server as url:
        argument = json.dumps(document(url, push(destination, Path(folder))))
        command = [sys.executable, "-c", PROGRAM, argument]
        home = os.environ | {"ASTRIO_HOME": f"{folder}/home"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=home)
    written, peak, cpu = json.loads(done.stdout)
    return written, peak, cpu


def main() -> None:
    """Print a table, and the ratios of the last size to the first."""
    words = sys.argv[1:]
    sizes = [int(word) for word in words if word.isdecimal()] or [100_000, 1_000_000]
    destination = next((word for word in words if not word.isdecimal()), "sqlite")
    results = [measure(destination, size) for size in sizes]
    for written, peak, cpu in results:
        rate = 1e6 * cpu / written
        print(f"{written:>9,} records  {peak:6.0f} MB  {cpu:6.1f} s CPU  {rate:5.1f} µs a record")
    print(f"peak memory, last to first: {results[-1][1] / results[0][1]:.2f}")


if __name__ == "__main__":
    main()
