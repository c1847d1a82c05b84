"""The engine under other conditions: a source that has not changed, and one that is far away.

    python -m tests.benchmarks.conditions [--records 200000] [--databases sqlite postgresql]
        [--repeat 3]

`again` is a run over the records that the run before has written: how many times as fast it is as
the first load, in CPU seconds of client and PostgreSQL; and how many times with `unchanged: skip`,
as fast as the first load without it, and as that with it. `far` has 50 ms of latency for each page,
of which eight are asked for at once: how much longer it takes than without, on the wall's clock,
which on a busy machine says little. Runs take turns; the least of several counts.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measuring import Cost, measure, opened
from tests.benchmarks.programs import ENGINE, words

from astrio.deployments.demo.process import running

PARALLEL = {"type": "page_number", "param": "page", "total": "$.total", "parallel": 8}
LATENCY_MS = 50


def once(database: str, records: int, latency: int = 0, runs: int = 1, **push: str) -> list[Cost]:
    """Return what each of several runs over the same source and destination takes."""
    size, delay = str(records), str(latency)
    server = running(
        *("-m", "tests.benchmarks.http_server", "--records", size, "--latency-ms", delay)
    )
    with tempfile.TemporaryDirectory() as folder, server as api, opened(database) as place:
        program = words(ENGINE, api, place.url, Path(folder), PARALLEL, **push)
        return [measure(program, place) for _ in range(runs)]


@dataclass(frozen=True)
class Times:
    """How many times as fast a run without changes is as the first load.

    Attributes:
        compared: where each record is compared.
        skipped: where pages are skipped, to a first load that compares.
        alike: the same, to a first load that remembers its pages.
        latency: the share that latency adds.
    """

    compared: float
    skipped: float
    alike: float
    latency: float


def compare(database: str, records: int, repeat: int) -> Times:
    """Measure a run without changes, and one far away, beside the first load."""
    first: list[float] = []
    again: list[float] = []
    noting: list[float] = []
    skipping: list[float] = []
    near: list[float] = []
    far: list[float] = []
    for _ in range(repeat):
        load, resync = once(database, records, runs=2)
        noted, skipped = once(database, records, runs=2, unchanged="skip")
        [distant] = once(database, records, LATENCY_MS)
        first.append(load.cpu)
        again.append(resync.cpu)
        noting.append(noted.cpu)
        skipping.append(skipped.cpu)
        near.append(load.wall)
        far.append(distant.wall)
    least = min(skipping)
    return Times(
        compared=min(first) / min(again),
        skipped=min(first) / least,
        alike=min(noting) / least,
        latency=min(far) / min(near) - 1,
    )


def main() -> None:
    """Print both for each database."""
    parser = argparse.ArgumentParser(prog="conditions.py")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    names = ("again", "`unchanged: skip`", "to its own first load", "50 ms a page add")
    print(f"| {options.records:,} records | {' | '.join(names)} |")
    print("|---|---:|---:|---:|---:|")
    for database in options.databases:
        found = compare(database, options.records, options.repeat)
        times = (found.compared, found.skipped, found.alike)
        told = " | ".join(f"{each:.2f} times as fast" for each in times)
        print(f"| {database} | {told} | {found.latency:+.0%} |", flush=True)


if __name__ == "__main__":
    main()
