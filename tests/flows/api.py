"""A small API of numbered records for whole-chain tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.support.server import Server, serve

from astrio.flows.integration import Integration


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Return the record of that number; each has a time of its own, a day of seconds long."""
    hour, minute, second = number // 3600 % 24, number // 60 % 60, number % 60
    return {
        "id": number,
        "name": f"Name {number}",
        "email": f"user{number}@example.com",
        "updated_at": f"2026-01-01T{hour:02d}:{minute:02d}:{second:02d}Z",
        **changes,
    }


@contextmanager
def cursor_api(records: list[dict[str, Any]], size: int = 10) -> Iterator[Server]:
    """Serve `records` (read anew at each request) by cursor pages at `/items`."""

    def items(request: web.Request) -> Any:
        since = request.query.get("since", "")
        chosen = [each for each in records if each["updated_at"] >= since]
        start = int(request.query.get("cursor", "0"))
        following = start + size if start + size < len(chosen) else None
        return {"items": chosen[start : start + size], "next": following, "total": len(chosen)}

    with serve({"/items": items}) as server:
        yield server


def integration(url: str, database: Path, **changes: Any) -> Integration:
    """Return an integration of `cursor_api` into the table `items`; `changes` replace keys."""
    source = {
        "api": {"base_url": url},
        "request": {"path": "/items"},
        "records": "$.items[*]",
        "paginate": {"type": "cursor", "param": "cursor", "next": "$.next"},
        **changes.pop("source", {}),
    }
    whole = {
        "name": "items",
        "source": source,
        "map": {"id": "id", "name": "name", "email": "email", "updated_at": "updated_at"},
        "push": {
            "to": {"url": f"sqlite:///{database}"},
            "table": "items",
            "mode": "upsert",
            "key": ["id"],
        },
        "retry": {"max_retries": 1, "retry_delay": 1},
        **changes,
    }
    return Integration.model_validate(whole)
