"""How fast rows are upserted into SQLite, against the bare driver.

Prints rows a second for a first load and for the same rows again, and what share of the driver's
own speed the destination reaches: both write 12 columns by key to a file, in chunks of 5,000.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.opening import open_destination
from astrio.tasks.destinations.settings import PushSettings, SqlTarget

TYPES = {
    "id": "BIGINT",
    "name": "TEXT",
    "email": "TEXT",
    "city": "TEXT",
    "age": "BIGINT",
    "total": "DOUBLE",
    "paid": "BOOLEAN",
    "status": "TEXT",
    "note": "TEXT",
    "created": "TEXT",
    "updated": "TEXT",
    "score": "DOUBLE",
}
COLUMNS = tuple(TYPES)
CHUNK = 5_000
PAGE = 1_000

Rows = list[tuple[Any, ...]]


def made_up(number: int) -> tuple[Any, ...]:
    """Return an order much like a shop's."""
    day = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T10:20:30Z"
    return (
        *(number, f"Customer {number}", f"customer{number}@example.com", "Zürich", number % 90),
        *(number * 0.37, number % 3 == 0, "open", None if number % 2 else "a note on the order"),
        *(day, day, number / 7),
    )


def bare(file: Path, rows: Rows) -> None:
    """Write the rows by the driver alone."""
    connection = sqlite3.connect(file, isolation_level=None)
    declared = ", ".join(map(" ".join, TYPES.items()))
    connection.execute(f"CREATE TABLE IF NOT EXISTS orders ({declared}, PRIMARY KEY (id))")
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    differs = " OR ".join(f"orders.{name} IS NOT excluded.{name}" for name in COLUMNS[1:])
    values = ", ".join("?" * len(COLUMNS))
    for start in range(0, len(rows), CHUNK):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"INSERT INTO orders VALUES ({values}) "
            f"ON CONFLICT (id) DO UPDATE SET {updates} WHERE {differs}",
            rows[start : start + CHUNK],
        )
        connection.execute("COMMIT")
    connection.close()


def destination(file: Path, rows: Rows) -> None:
    """Write the rows as a run does, with its state."""
    push = PushSettings(
        to=SqlTarget(url=f"sqlite:///{file}"), table="orders", mode="upsert", key=("id",)
    )
    target = open_destination(push, "benchmark")
    target.open(RunIdentity("run", "benchmark"))
    target.begin_slice(atomic=False)
    for chunk in chunks(rows):
        target.commit(chunk)
    target.close()


def chunks(rows: Rows) -> Iterator[Chunk]:
    """Yield the rows in pages, as they come down the chain."""
    pages = [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)]
    batches = [Batch(Page(number), COLUMNS, page, page) for number, page in enumerate(pages, 1)]
    step = CHUNK // PAGE
    for start in range(0, len(batches), step):
        yield Chunk(batches[start : start + step], resume=lambda written: {"n": written.written})


def seconds(work: Callable[[Path, Rows], None], file: Path, rows: Rows) -> float:
    """Return how long the work took."""
    start = perf_counter()
    work(file, rows)
    return perf_counter() - start


def main(count: int) -> None:
    """Measure both, alternately, and print the best of three."""
    rows = [made_up(number) for number in range(count)]
    best: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for attempt in range(3):
            for work in (bare, destination):
                file = Path(folder, f"{work.__name__}{attempt}.db")
                for which in ("first load", "unchanged"):
                    spent = seconds(work, file, rows)
                    best[work.__name__, which] = min(spent, best.get((work.__name__, which), spent))
    for which in ("first load", "unchanged"):
        alone, ours = best["bare", which], best["destination", which]
        print(
            f"{which}: driver {count / alone:,.0f} rows/s, "
            f"destination {count / ours:,.0f} rows/s, ratio {alone / ours:.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
