"""From 202 to the committed row: how long one event takes, and how fast a burst drains.

    python -m tests.benchmarks.draining [EVENTS]

Everything is real: a Prefect server, `astrio gateway` with its drainer, signed requests, SQLite.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import aiohttp

from astrio.deployments.demo.notifying import new_secret, signed
from astrio.deployments.server import prefect_server

SINGLE = 40
CONNECTIONS = 64
FILE = """\
name: events
source: {webhook: {path: /webhooks/events, secret: "${env:BENCHMARK_SECRET}"}}
map: {id: id, name: name, total: decimal(total)}
validate: [{field: id, required: true}]
push: {to: {url: "sqlite:///events.db"}, table: events, mode: upsert, key: [id]}
"""
COMMAND = "from astrio.deployments.cli import main; main()"


def rows(folder: Path) -> int:
    """Return how many rows are committed."""
    with closing(sqlite3.connect(folder / "events.db")) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def runs(folder: Path) -> int:
    """Return how many flow runs have written them."""
    with closing(sqlite3.connect(folder / "events.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM _astrio_run").fetchone()[0])


async def send(session: aiohttp.ClientSession, url: str, number: int) -> None:
    """Send one signed event; it must be accepted."""
    body = json.dumps({"id": number, "name": f"Name {number}", "total": "12.50"}).encode()
    headers = signed(os.environ["BENCHMARK_SECRET"], f"msg_{number}", body, time.time())
    async with session.post(url, data=body, headers=headers) as answer:
        assert answer.status == 202, answer.status


async def until(folder: Path, count: int) -> None:
    """Wait until so many rows are committed."""
    while await asyncio.to_thread(rows, folder) < count:  # noqa: ASYNC110 (a table has no event)
        await asyncio.sleep(0.01)


async def measure(folder: Path, url: str, burst: int) -> None:
    """Print the figures."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        await send(session, url, 0)
        await until(folder, 1)
        took: list[float] = []
        for number in range(1, SINGLE + 1):
            await send(session, url, number)
            accepted = time.monotonic()
            await until(folder, number + 1)
            took.append(time.monotonic() - accepted)
        before, started = runs(folder), time.monotonic()
        first = SINGLE + 1
        await asyncio.gather(*(send(session, url, first + each) for each in range(burst)))
        accepted = time.monotonic()
        await until(folder, first + burst)
        ended = time.monotonic()
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"one event, from 202 to the committed row: median {statistics.median(took):.2f} s, "
        f"p95 {p95:.2f} s ({SINGLE} events)"
    )
    print(
        f"a burst of {burst:,}: accepted in {accepted - started:.1f} s, all rows committed "
        f"{ended - started:.1f} s after the first was sent: {burst / (ended - started):,.0f} "
        f"events/s in {runs(folder) - before} flow runs"
    )


def main(burst: int = 10_000) -> None:
    """Run the benchmark in a folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ |= {
            "ASTRIO_HOME": f"{scratch}/home",
            "PREFECT_HOME": f"{scratch}/prefect",
            "BENCHMARK_SECRET": new_secret(),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        (folder / "events.yaml").write_text(FILE)
        with prefect_server(print) as api:
            environment = os.environ | {"PREFECT_API_URL": api}
            gateway = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "gateway", ".", "--port", "0"],
                cwd=folder,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                assert gateway.stderr is not None
                url = gateway.stderr.readline().split()[-1]
                asyncio.run(measure(folder, f"{url}/webhooks/events", burst))
            finally:
                gateway.terminate()
                gateway.wait(60)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
