"""astrio beside hand-written pipelines and dlt: one API, 12 mapped fields, an upsert, in one run.

    python -m tests.benchmarks.pipeline [--records N ...] [--databases sqlite postgresql]
        [--programs NAME ...] [--repeat 3]

The programs (tests/benchmarks/programs.py) take turns. Measured from outside: wall seconds, CPU
seconds of the process, those it started, and PostgreSQL; peak memory. Of several repetitions the
one with the least CPU time counts. The tables must be equal, row by row. Two sizes tell the fixed
cost (starting, importing, Prefect) from that of each record. CPU seconds are what to compare:
wall time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.benchmarks.by_hand import COLUMNS
from tests.benchmarks.measuring import Cost, measure, opened, prefect_up
from tests.benchmarks.programs import PROGRAMS, RUN, missing, table_of, words

from astrio.deployments.demo.process import running

Costs = dict[tuple[str, int], Cost]


def compare(database: str, sizes: Sequence[int], programs: Sequence[str], repeat: int = 1) -> Costs:
    """Return what each program took for each size, at best."""
    costs: Costs = {}
    for records in [*sizes] * repeat:
        server = running("-m", "tests.benchmarks.http_server", "--records", str(records))
        with tempfile.TemporaryDirectory() as folder, server as api, opened(database) as place:
            for program in programs:
                cost = measure(words(program, api, place.url, Path(folder)), place)
                best = costs.setdefault((program, records), cost)
                costs[program, records] = min(best, cost, key=lambda each: each.cpu)
                print(f"{program}, {records:,}: {cost.cpu:.2f} s CPU", file=sys.stderr)
            place.require_equal(list(map(table_of, programs)), COLUMNS, "order_id")
    return costs


def table(database: str, sizes: Sequence[int], costs: Costs) -> Iterator[str]:
    """Yield the lines of a Markdown table; ratios are to the first program."""
    programs = list(dict.fromkeys(program for program, _ in costs))
    yield f"| {database} | records | wall s | CPU s | PostgreSQL's | peak MB | {programs[0]} = 1 |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for records in sizes:
        base = costs[programs[0], records].cpu
        for program in programs:
            cost = costs[program, records]
            server = "" if database == "sqlite" else f"{cost.server:.1f}"
            yield (
                f"| {program} | {records:,} | {cost.wall:.1f} | {cost.cpu:.2f} | {server} | "
                f"{cost.peak:.0f} | {cost.cpu / base:.2f} |"
            )
    if len(sizes) > 1:
        yield ""
        yield from marginal(programs, sizes, costs)


def marginal(programs: Sequence[str], sizes: Sequence[int], costs: Costs) -> Iterator[str]:
    """Yield what each record costs beyond the first size, what is fixed, and how memory grows."""
    first, last = sizes[0], sizes[-1]
    base = 0.0
    yield f"| | µs CPU a record | fixed CPU s | memory, last to first | {programs[0]} = 1 |"
    yield "|---|---:|---:|---:|---:|"
    for program in programs:
        one, other = costs[program, first], costs[program, last]
        each = (other.cpu - one.cpu) / (last - first)
        base = base or each
        yield (
            f"| {program} | {1e6 * each:.1f} | {one.cpu - first * each:.2f} | "
            f"{other.peak / one.peak:.2f} | {each / base:.2f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="pipeline.py")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--programs", nargs="+", default=PROGRAMS, choices=PROGRAMS)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    left_out = {program: why for program in options.programs if (why := missing(program))}
    print("".join(f"{why}\n" for why in left_out.values()), end="")
    programs = [program for program in options.programs if program not in left_out]
    with prefect_up() if RUN in programs else nullcontext():
        for database in options.databases:
            costs = compare(database, options.records, programs, options.repeat)
            print("\n".join(["", *table(database, options.records, costs)]), flush=True)


if __name__ == "__main__":
    main()
