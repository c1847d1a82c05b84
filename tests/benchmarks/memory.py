"""Peak memory and CPU of a whole sync without Prefect, at two sizes: neither may grow per record.

Run: python -m tests.benchmarks.memory [RECORDS ...]
"""

from __future__ import annotations

import json
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


def document(url: str, database: Path) -> dict[str, object]:
    """Return an integration of 12 fields with a rule over the benchmark's API."""
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
        "push": {
            "to": {"url": f"sqlite:///{database}"},
            "table": "bench",
            "mode": "upsert",
            "key": ["id"],
        },
    }


def measure(records: int) -> tuple[int, float, float]:
    """Return records written, peak memory in MB, and CPU seconds of the client's process."""
    server = running("-m", "tests.benchmarks.http_server", "--records", str(records))
    with tempfile.TemporaryDirectory() as folder, server as url:
        argument = json.dumps(document(url, Path(folder, "bench.db")))
        command = [sys.executable, "-c", PROGRAM, argument]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    written, peak, cpu = json.loads(done.stdout)
    return written, peak, cpu


def main() -> None:
    """Print a table, and the ratios of the last size to the first."""
    sizes = [int(word) for word in sys.argv[1:]] or [100_000, 1_000_000]
    results = [measure(size) for size in sizes]
    for written, peak, cpu in results:
        rate = 1e6 * cpu / written
        print(f"{written:>9,} records  {peak:6.0f} MB  {cpu:6.1f} s CPU  {rate:5.1f} µs a record")
    print(f"peak memory, last to first: {results[-1][1] / results[0][1]:.2f}")


if __name__ == "__main__":
    main()
