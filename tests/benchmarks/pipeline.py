"""astrio beside a hand-written pipeline: one API, 12 mapped fields, an upsert, in the same run.

    python -m tests.benchmarks.pipeline [--records N ...] [--databases sqlite postgresql]
        [--repeat 3]

Three programs, each a process of its own, load the same records from a fast local API into a table
of their own: `by hand` (tests/benchmarks/by_hand.py), `engine` (the five stages without Prefect)
and `astrio run` (the command, with a Prefect server that is up). Measured from outside: wall
seconds, CPU seconds of the process and of PostgreSQL, peak memory; of several repetitions, taken in
turns, the one with the least CPU time counts. The tables must be equal, row by row. Two sizes tell
the fixed cost (starting, importing, Prefect) from that of each record.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text
from tests.benchmarks.by_hand import COLUMNS
from tests.support.postgres import PostgresServer, postgres_server

from astrio.deployments.demo.process import running

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
ENGINE = """
import asyncio, json, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
report = asyncio.run(run_without_prefect(Integration.model_validate(json.load(open(sys.argv[1])))))
print(report.records.written)
"""
# A process counts the memory of the one that started it as its own, until it is replaced: so a
# small one starts what is measured.
LAUNCHER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
_, status, usage = os.wait4(subprocess.Popen(sys.argv[1:], stdout=2).pid, 0)
cost = [time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
print(json.dumps([os.waitstatus_to_exitcode(status), *cost]))
"""
COMMAND = "from astrio.deployments.cli import main; main()"
PROGRAMS = ("by hand", "engine", "astrio run")


@dataclass(frozen=True)
class Cost:
    """What one program took: seconds, and MB."""

    wall: float
    client: float
    server: float
    peak: float


@dataclass(frozen=True)
class Place:
    """A database to load into, and its server if it has one."""

    url: str
    server: PostgresServer | None = None

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used so far."""
        return 0.0 if self.server is None else cpu_of_tree(self.server.pid())

    def require_equal(self, tables: list[str]) -> None:
        """Compare the tables with the first one, row by row."""
        url = make_url(self.url)
        driver = "sqlite" if self.server is None else "postgresql+psycopg"
        with create_engine(url.set(drivername=driver)).connect() as connection:

            def rows(table: str) -> Iterator[Any]:
                query = text(f"SELECT {COLUMNS} FROM {table} ORDER BY order_id")
                return iter(connection.execution_options(stream_results=True).execute(query))

            for table in tables[1:]:
                for one, other in zip(rows(tables[0]), rows(table), strict=True):
                    assert tuple(one) == tuple(other), f"{table} differs: {one} and {other}"


def cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and all its children, ended ones too (proc(5))."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        own = int(name.partition(" ")[0])
        if own == pid:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def integration(api: str, place: Place, table: str) -> dict[str, Any]:
    """Return the integration that does what the hand-written pipeline does."""
    return {
        "name": table.replace("_", "-"),
        "source": {
            "api": {"base_url": api},
            "request": {"path": "/orders", "params": {"limit": 1000}},
            "records": "$.orders[*]",
            "paginate": {"type": "cursor", "param": "cursor", "next": "$.next_cursor"},
        },
        "map": MAP,
        "push": {"to": {"url": place.url}, "table": table, "mode": "upsert", "key": ["order_id"]},
    }


def measure(program: str, api: str, place: Place, folder: Path) -> Cost:
    """Run one of the programs once, to its end."""
    table = table_of(program)
    file = folder / f"{table}.json"
    file.write_text(json.dumps(integration(api, place, table)))
    words = {
        "by hand": ("-m", "tests.benchmarks.by_hand", api, place.url, table),
        "engine": ("-c", ENGINE, str(file)),
        "astrio run": ("-c", COMMAND, "run", str(file), "--json"),
    }[program]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-IS", "-c", LAUNCHER, sys.executable, *words]
    before = place.cpu()
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    code, wall, client, peak = json.loads(ended.stdout)
    assert code == 0, ended.stderr
    return Cost(wall, client, place.cpu() - before, peak)


def table_of(program: str) -> str:
    """Return the table that a program writes."""
    return f"bench_{program.replace(' ', '_')}"


def compare(
    database: str, sizes: list[int], programs: tuple[str, ...] = PROGRAMS, repeat: int = 1
) -> dict[tuple[str, int], Cost]:
    """Return what each program took for each size, at best."""
    costs: dict[tuple[str, int], Cost] = {}
    for records in sizes * repeat:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = running("-m", "tests.benchmarks.http_server", "--records", str(records))
            api, place = stack.enter_context(server), stack.enter_context(opened(database, folder))
            for program in programs:
                cost = measure(program, api, place, folder)
                best = costs.setdefault((program, records), cost)
                costs[program, records] = min(best, cost, key=lambda each: each.client)
            place.require_equal([table_of(program) for program in programs])
    return costs


@contextmanager
def opened(database: str, folder: Path) -> Iterator[Place]:
    """Make an empty database."""
    if database == "sqlite":
        yield Place(f"sqlite:///{folder}/bench.db")
        return
    with postgres_server({"max_wal_size": "8GB"}) as server:
        yield Place(server.create_database(), server)


def table(database: str, sizes: list[int], costs: dict[tuple[str, int], Cost]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield f"| {database} | records | wall s | CPU s | PostgreSQL's | peak MB | CPU, by hand = 1 |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    programs = list(dict.fromkeys(program for program, _ in costs))
    for records in sizes:
        base = costs["by hand", records].client
        for program in programs:
            cost = costs[program, records]
            server = f"{cost.server:.1f}" if database != "sqlite" else ""
            yield (
                f"| {program} | {records:,} | {cost.wall:.1f} | {cost.client:.1f} | {server} | "
                f"{cost.peak:.0f} | {cost.client / base:.2f} |"
            )
    if len(sizes) > 1:
        yield from marginal(programs, sizes, costs)


def marginal(
    programs: list[str], sizes: list[int], costs: dict[tuple[str, int], Cost]
) -> Iterator[str]:
    """Yield what each record costs beyond the first size, what is fixed, and how memory grows."""
    first, last = sizes[0], sizes[-1]
    base = 0.0
    for program in programs:
        one, other = costs[program, first], costs[program, last]
        each = (other.client - one.client) / (last - first)
        base = base or each
        yield (
            f"| {program}: each record {1e6 * each:.1f} µs CPU, fixed "
            f"{one.client - first * each:.1f} s | | | | | {other.peak / one.peak:.2f} | "
            f"{each / base:.2f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="pipeline.py")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with prefect_up():
        for database in options.databases:
            costs = compare(database, options.records, repeat=options.repeat)
            print("\n".join(["", *table(database, options.records, costs)]), flush=True)


@contextmanager
def prefect_up() -> Iterator[None]:
    """Run a Prefect server of its own; starting one is not what is measured."""
    from astrio.deployments.server import prefect_server

    with tempfile.TemporaryDirectory() as home:
        os.environ["ASTRIO_HOME"] = home
        with prefect_server(lambda _: None) as url:
            os.environ["PREFECT_API_URL"] = url
            yield


if __name__ == "__main__":
    main()
