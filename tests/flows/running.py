"""Running an integration without Prefect, and looking at what it leaves in its database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.support.server import Server, serve

from astrio.blocks.errors import AstrioError
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport


def run(plan: Integration, **options: Any) -> RunReport:
    """Run the integration to its end."""
    return asyncio.run(run_without_prefect(plan, RunOptions(**options)))


def failed_run(plan: Integration, **options: Any) -> AstrioError:
    """Run an integration that must fail, and return its error."""
    with pytest.raises(AstrioError) as caught:
        run(plan, **options)
    return caught.value


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query; no rows if there is no such table, or no database."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []


def stored(database: Path) -> list[tuple[Any, ...]]:
    """Return the rows of the table `items` in the order of their ids."""
    return query(database, "SELECT id, name, email, updated_at FROM items ORDER BY id, name")


def stored_ids(database: Path) -> list[int]:
    """Return the ids in the table `items`, one for each row."""
    return [row[0] for row in query(database, "SELECT id FROM items ORDER BY id")]


def rows_of(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the rows that these records should become."""
    return [(each["id"], each["name"], each["email"], each["updated_at"]) for each in records]


def last_report(database: Path) -> RunReport:
    """Return the report of the latest run, as it is kept with the data."""
    rows = query(database, "SELECT report FROM _astrio_run ORDER BY finished_at DESC LIMIT 1")
    return RunReport.model_validate_json(rows[0][0])


def watermark(database: Path) -> Any:
    """Return the stored watermark."""
    rows = query(database, "SELECT watermark FROM _astrio_checkpoint")
    return json.loads(rows[0][0]) if rows and rows[0][0] is not None else None


@dataclass
class Faulty:
    """An API of numbered records that misbehaves at one position until it is mended.

    Attributes:
        records: what it serves, `size` to a page, at `/items?cursor=0`.
        at: the position (number of the page's first record) at which `fault` answers instead.
        fault: a handler; None: the API is mended.
    """

    records: list[dict[str, Any]]
    at: int = 0
    fault: Callable[[web.Request], Any] | None = None
    size: int = 10
    param: str = "cursor"
    total: int | None = None
    server: Server = field(default_factory=lambda: Server(""))

    def __call__(self, request: web.Request) -> Any:
        """Answer a page."""
        start = int(request.query.get(self.param, "0"))
        if self.fault is not None and start >= self.at:
            return self.fault(request)
        since = request.query.get("since", "")
        chosen = [each for each in self.records if str(each["updated_at"]) >= since]
        following = start + self.size
        return {
            "items": chosen[start:following],
            "next": following if following < len(chosen) else None,
            "total": self.total,
        }

    @contextmanager
    def serving(self) -> Iterator[Faulty]:
        """Serve it at every path."""
        with serve(self) as self.server:
            yield self

    def asked(self, name: str) -> list[str | None]:
        """Return the values of a query parameter in the requests so far, then forget these."""
        values = [each.query.get(name, [None])[0] for each in self.server.requests]
        self.server.requests.clear()
        return values
