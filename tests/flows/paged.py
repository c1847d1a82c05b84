"""An API that serves the very pages that a test gives it, each time in another envelope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web
from tests.support.server import Server, answer, serve

from astrio.flows.integration import Integration

Record = dict[str, Any]


@dataclass
class Paged:
    """Pages at `/items?cursor=0`; the one at `fault` is answered with an error.

    Attributes:
        asked: the positions that were asked for.
    """

    pages: list[list[Record]] = field(default_factory=list)
    fault: int | None = None
    asked: list[int] = field(default_factory=list)
    server: Server = field(default_factory=lambda: Server(""))
    _requests: Iterator[int] = field(default_factory=count)

    def __call__(self, request: web.Request) -> Any:
        """Answer a page."""
        place = int(request.query.get("cursor", "0"))
        self.asked.append(place)
        if place == self.fault:
            return answer({}, 400)
        following = place + 1 if place + 1 < len(self.pages) else None
        total = sum(map(len, self.pages))
        page = self.pages[place] if self.pages else []
        request_id = f"req-{next(self._requests)}"
        return {"id": request_id, "data": {"items": page, "next": following}, "total": total}

    @contextmanager
    def serving(self) -> Iterator[Paged]:
        """Serve it at every path."""
        with serve(self) as self.server:
            yield self


def plan_of(
    url: str, database: str, *, name: str = "items", push: Record | None = None, **changes: Any
) -> Integration:
    """Return an integration of such an API into the table `items`, which skips what it knows."""
    source = {
        "api": {"base_url": url},
        "request": {"path": "/items"},
        "records": "$.data.items",
        "paginate": {
            "type": "cursor",
            "param": "cursor",
            "next": "$.data.next",
            "allow_repeats": True,
        },
        **changes.pop("source", {}),
    }
    to = {"to": {"url": database}, "table": "items", "mode": "upsert", "key": ["id"]}
    whole = {
        "name": name,
        "source": source,
        "map": {"id": "id", "name": "name", "size": "size"},
        "push": {**to, "unchanged": "skip", **(push or {})},
        "retry": {"max_retries": 0, "retry_delay": 1},
        **changes,
    }
    return Integration.model_validate(whole)
