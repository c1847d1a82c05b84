"""What the figures of fields cost: `python -m tests.benchmarks.profile [--records 100000]`.

Twelve fields of the orders that the other benchmarks load, upserted into SQLite by the engine
(without Prefect), with the profile and without it, in turns, each in a process of its own; the
least CPU time of several repetitions counts. The profile alone is measured beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from time import process_time

from tests.benchmarks.mapping import MAPPING, NOW, sample
from tests.benchmarks.measuring import LAUNCHER
from tests.benchmarks.programs import RUN_ENGINE, integration

from astrio.deployments.demo.process import running
from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.compile import MappingContext, compile_mapping
from astrio.tasks.quality.profile import Profile

WITHOUT = "from astrio.tasks.quality.profile import Profile\nProfile.add = lambda *_: None\n"
CHUNK = 5_000


def alone(chunks: int = 20) -> float:
    """Return the microseconds of CPU that the profile takes for a record of twelve fields."""
    mapping, profile = compile_mapping(MAPPING, MappingContext(NOW)), Profile()
    spent = 0.0
    for start in range(0, chunks * CHUNK, CHUNK):
        records = list(map(sample, range(start, start + CHUNK)))
        pages = [mapping.transform(Page(1, records[n : n + 1_000])) for n in range(0, CHUNK, 1_000)]
        batches = [Batch(each.page, each.columns, each.rows, each.sources) for each in pages]
        began = process_time()
        profile.add(batches)
        spent += process_time() - began
    return 1e6 * spent / (chunks * CHUNK)


def engine(api: str, folder: Path, head: str) -> float:
    """Return the CPU seconds of a run that upserts every record into a new database."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "orders.json"
        url = f"sqlite:///{place}/bench.db"
        file.write_text(json.dumps(integration(api, url, "orders")))
        command = [sys.executable, "-IS", "-c", LAUNCHER, sys.executable]
        path = os.pathsep.join(filter(None, sys.path))
        ended = subprocess.run(
            [*command, "-c", head + RUN_ENGINE, str(file)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": path},
        )
    code, _, seconds, _ = json.loads(ended.stdout)
    assert code == 0, ended.stderr
    return float(seconds)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="profile.py")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print(f"the profile alone: {alone():.2f} µs CPU a record of twelve fields")
    server = running("-m", "tests.benchmarks.http_server", "--records", str(options.records))
    least: dict[str, float] = {}
    with server as api, tempfile.TemporaryDirectory() as folder:
        for head in islice(cycle((WITHOUT, "")), 2 * options.repeat):
            seconds = engine(api, Path(folder), head)
            least[head] = min(seconds, least.get(head, seconds))
    before, after = least[WITHOUT], least[""]
    each = 1e6 * (after - before) / options.records
    print(
        f"the engine, {options.records:,} records: {before:.2f} s CPU without it, {after:.2f} s "
        f"with it ({after / before:.2f}; {each:.2f} µs a record)"
    )


if __name__ == "__main__":
    main()
