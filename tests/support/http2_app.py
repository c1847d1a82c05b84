"""What granian serves in the tests of HTTP/2: the version of HTTP that it was asked in."""

from __future__ import annotations

import json
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with the version."""
    if scope["type"] != "http":
        return
    body = json.dumps({"version": scope["http_version"], "host": _host(scope)}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host(scope: dict[str, Any]) -> str:
    headers = dict(scope["headers"])
    return str(headers.get(b"host", b"").decode())
