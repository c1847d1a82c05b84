"""An API of records at times, asked for windows, and backfills of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.support.server import Server, answer, serve

from astrio.flows.integration import Integration
from astrio.tasks.progress import watching
from astrio.tasks.report import RunReport

DAYS = 10


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Return the record of that number; there are eight for each day of January."""
    day, hour = divmod(number, 8)
    at = f"2026-01-{day + 1:02d}T{hour * 3:02d}:00:00Z"
    return {"id": number, "name": f"Name {number}", "updated_at": at, **changes}


def records(days: int = DAYS) -> list[dict[str, Any]]:
    """Return the records of so many days."""
    return [record(number) for number in range(days * 8)]


@dataclass
class Windowed:
    """An API that gives the records from `since` to before `until`, three to a page.

    Attributes:
        records: what it serves, read anew for each request.
        broken: days (as `2026-01-03`) whose windows it cannot serve.
        before: awaited with each request before it is answered.
        asked: the windows that were asked for, first pages only.
    """

    records: list[dict[str, Any]] = field(default_factory=records)
    broken: set[str] = field(default_factory=set)
    before: Callable[[web.Request], Awaitable[None]] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    server: Server = field(default_factory=lambda: Server("http://127.0.0.1:9"))

    async def __call__(self, request: web.Request) -> Any:
        """Answer a page."""
        since, until = request.query.get("since", ""), request.query.get("until", "9999")
        start = int(request.query.get("cursor", "0"))
        if start == 0:
            self.asked.append((since, until))
        if self.before is not None:
            await self.before(request)
        if since[:10] in self.broken:
            return answer({"error": "broken"}, 400)
        chosen = [each for each in self.records if since <= each["updated_at"] < until]
        following = start + 3 if start + 3 < len(chosen) else None
        return {"items": chosen[start : start + 3], "next": following, "total": len(chosen)}

    @contextmanager
    def serving(self) -> Iterator[Windowed]:
        """Serve it at every path."""
        with serve(self) as self.server:
            yield self

    def integration(self, url: str, **changes: Any) -> Integration:
        """Return an integration of it into the table `items` of the database at `url`."""
        return Integration.model_validate(self.document(url, **changes))

    def document(self, url: str, **changes: Any) -> dict[str, Any]:
        """Return the same as the file would hold it."""
        incremental = {
            "cursor": "updated_at",
            "param": "since",
            "end_param": "until",
            "format": "iso",
            **changes.pop("incremental", {}),
        }
        push = {"to": {"url": url}, "table": "items", "mode": "upsert", "key": ["id"]}
        return {
            "name": "items",
            "source": {
                "api": {"base_url": self.server.url},
                "request": {"path": "/items"},
                "records": "$.items[*]",
                "paginate": {
                    "type": "cursor",
                    "param": "cursor",
                    "next": "$.next",
                    "total": "$.total",
                },
                "incremental": incremental,
                **changes.pop("source", {}),
            },
            "map": changes.pop("map", {"id": "id", "name": "name", "updated_at": "updated_at"}),
            "push": {**push, **changes.pop("push", {})},
            "retry": {"max_retries": 0},
            **changes,
        }


def sqlite_url(folder: Path) -> str:
    """Return the URL of a database in a folder."""
    return f"sqlite:///{folder}/items.db"


@contextmanager
def heard() -> Iterator[list[RunReport]]:
    """Collect the reports that are announced within the block."""
    reports: list[RunReport] = []

    def hear(news: Any) -> None:
        if isinstance(news, RunReport):
            reports.append(news)

    with watching(hear):
        yield reports
