"""The demo shop's webhooks: signed as Standard Webhooks 1.0.0 says, or forged.

It shares no code with the gateway that it tries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SECRET = "SHOP_WEBHOOK_SECRET"  # noqa: S105 (the name of a variable)
_PREFIX = "whsec_"


def new_secret() -> str:
    """Return a secret as the shop shows it once to whoever receives its webhooks."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def notify(url: str, orders: Iterable[Mapping[str, Any]], *, forged: bool = False) -> Iterator[int]:
    """Send an event for each order, and yield the status of each answer.

    Args:
        url: where the webhooks go.
        orders: what the events are about.
        forged: sign with another secret than the one in SHOP_WEBHOOK_SECRET.
    """
    secret = new_secret() if forged else os.environ[SECRET]
    for order in orders:
        body = json.dumps({"type": "order.updated", "data": {"order": order}}).encode()
        yield _post(url, body, signed(secret, f"msg_{secrets.token_hex(12)}", body, time.time()))


def signed(secret: str, message: str, body: bytes, now: float) -> dict[str, str]:
    """Return the three headers that sign a message."""
    key, moment = base64.b64decode(secret.removeprefix(_PREFIX)), str(int(now))
    content = b".".join((message.encode(), moment.encode(), body))
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{digest}",
    }


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    request = Request(url, body, {"content-type": "application/json", **headers}, method="POST")  # noqa: S310 (the demo's own gateway)
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 (as above)
            return int(answer.status)
    except HTTPError as error:
        return error.code
