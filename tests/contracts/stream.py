"""A stream under test: what writes to a SQL destination and looks at it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.support.databases import engine_of

from astrio.blocks.literals import SHOW_SECRETS
from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.part import WHOLE, Part
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.report import RunReport

Row = tuple[Any, ...]
ROOT = Path(__file__).parents[2]


def batch(columns: str, *rows: Row, rejects: Sequence[Reject] = ()) -> Batch:
    """Make a page of rows; each row's source record is the object of its columns."""
    names = tuple(columns.split())
    sources = [dict(zip(names, row, strict=True)) for row in rows]
    return Batch(Page(1), names, list(rows), sources, list(rejects))


def rejected(record: Any, key: Row | None = None, *reasons: str) -> Reject:
    """Make a reject; each reason is of the field `age` and the rule `min`."""
    return Reject(record, [Problem("age", "min", reason) for reason in reasons or ("no",)], key)


class Stream:
    """A stream under test: opens destinations, and looks at the database from outside."""

    def __init__(self, url: str, **push: Any) -> None:
        settings = {"table": "orders", "mode": "upsert", "key": ["id"]} | push
        self.push = PushSettings.model_validate({"to": {"url": url}} | settings)
        self.database: Engine = engine_of(url)
        self.state = StreamState()
        self._opened: list[SqlDestination] = []

    def open(
        self,
        run_id: str = "run-1",
        *,
        wait: bool = False,
        begin: bool = True,
        part: Part = WHOLE,
        **how: Any,
    ) -> SqlDestination:
        """Open a destination; `begin` starts a slice that commits chunk by chunk."""
        destination = SqlDestination(self.push, "shop", **how)
        if part.path:
            destination.only(part)
        self.state = destination.open(RunIdentity(run_id, "shop"), wait=wait)
        self._opened.append(destination)
        if begin:
            destination.begin_slice(atomic=False)
        return destination

    def close(self) -> None:
        """Close whatever is open."""
        for destination in self._opened:
            destination.close()
        self.database.dispose()

    def write(self, columns: str, *rows: Row, run_id: str = "run-1") -> Written:
        """Write rows in a run of their own."""
        destination = self.open(run_id)
        try:
            written = destination.commit(Chunk([batch(columns, *rows)]))
            destination.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
        finally:
            destination.close()
        return written

    def execute(self, *statements: str) -> None:
        """Run SQL in a transaction of the test's own."""
        with self.database.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def dropped_index(self, index: str, table: str) -> str:
        """Return the statement that drops an index."""
        of_its_table = f" ON {table}" if self.database.dialect.name == "mysql" else ""
        return f"DROP INDEX IF EXISTS {index}{of_its_table}"

    def rows(self, query: str = "SELECT * FROM orders ORDER BY id") -> list[Row]:
        """Read the table from outside."""
        with self.database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def columns(self) -> list[str]:
        """Return the table's columns in order."""
        with self.database.connect() as connection:
            return list(connection.execute(text("SELECT * FROM orders")).keys())


def child(stream: Stream, code: str) -> subprocess.Popen[str]:
    """Run code in another process, with `destination` (not yet open) and `run` at hand."""
    lines = code.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    body = "\n".join(line[indent:] for line in lines)
    head = (
        "import sys\n"
        "from astrio.blocks.errors import LeaseHeldError\n"
        "from astrio.tasks.batch import Batch, Page, Problem, Reject\n"
        "from astrio.tasks.destinations.base import Chunk, RunIdentity\n"
        "from astrio.tasks.destinations.opening import PushSettings, open_destination\n"
        "from astrio.tasks.destinations.sql.locked import LockedError\n"
        "push = PushSettings.model_validate_json(sys.argv[1])\n"
        "destination = open_destination(push, 'shop')\n"
        "run = RunIdentity('child', 'shop')\n"
    )
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            head + body,
            stream.push.model_dump_json(context={SHOW_SECRETS: True}),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".links")},
    )


class StreamContract:
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    def read_json(self, stored: Any) -> Any:
        """Read a stored object back: override it where the driver returns text."""
        return stored

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url)
        yield stream
        stream.close()
