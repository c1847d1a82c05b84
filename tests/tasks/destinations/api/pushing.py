"""Integrations whose destination is an API, run without Prefect."""

from __future__ import annotations

from typing import Any

from tests.support.server import Server

from astrio.flows.integration import Integration

RECORDS: list[dict[str, Any]] = [{"id": number, "name": f"n{number}"} for number in range(5)]


def integration(app: Server, to: dict[str, Any], **more: Any) -> Integration:
    """Return an integration from `/records` of `app`; what is in `more` replaces its parts."""
    push = {"to": to} | more.pop("push", {})
    document = {
        "name": "contacts-out",
        "source": {"api": {"base_url": app.url}, "request": {"path": "/records"}},
        "map": {"id": "id", "name": "name"},
        "retry": {"max_retries": 0, "retry_delay": 0},
        "push": push,
        **more,
    }
    return Integration.model_validate(document)


def api(url: str, **more: Any) -> dict[str, Any]:
    """Return `push.to` of an API at this URL."""
    return {"api": {"base_url": url, "timeout": 1}, "request": {"path": "/contacts"}, **more}


def upsert(**more: Any) -> dict[str, Any]:
    """Return the rest of `push` for records told apart by their id."""
    return {"push": {"mode": "upsert", "key": ["id"], **more}}
